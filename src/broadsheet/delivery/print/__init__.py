"""The printed sheet: an edition as the PDF of a newspaper, set by typst."""

from .setting import PAPERS, PrintError, sheet_images, sheet_pdf
from .sheet import MOST_STORIES, Sheet, Story

__all__ = ["MOST_STORIES", "PAPERS", "PrintError", "Sheet", "Story", "sheet_images", "sheet_pdf"]
