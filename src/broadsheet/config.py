"""Every setting, with its default and its reason. Set by environment or ``HOME/broadsheet.env``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one Broadsheet home; each is read from ``BROADSHEET_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="BROADSHEET_", extra="ignore")

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("broadsheet")),
        description="Folder of everything that is stored: database, search index, settings file.",
    )
    database_url: str = Field(
        "",
        description="Database, as an SQLAlchemy URL. Empty means SQLite in the home folder; "
        "`postgresql+psycopg://user:password@host/name` is the server for many machines.",
    )
    site_name: str = Field("Broadsheet", description="Name of the paper, at the head of every page.")
    tagline: str = Field("The daily paper of a research community", description="The line under the name.")
    base_url: str = Field(
        "",
        description="Public address of the site, for example `https://papers.example.org`. "
        "Empty means the address that a request came to.",
    )
    host: str = Field(
        "127.0.0.1", description="Address to serve on. Loopback, so that nothing is public by accident."
    )
    port: int = Field(8000, ge=1, le=65535, description="Port to serve on.")
    front_lists: str = Field(
        "daily_papers,saved_page,starter,added",
        description="Lists that make the front page, separated by commas. Where none of them has "
        "papers in a period, all lists do: an announcement list of hundreds does not bury a chosen one.",
    )
    page_size: int = Field(
        30, ge=5, le=100, description="Papers on one page of the site: a day of Daily Papers has 30 to 90."
    )
    encoder: str = Field(
        "",
        description="Folder of another ONNX sentence encoder (`model.onnx`, `tokenizer.json`). "
        "Empty means the one that the installation made.",
    )
    encoder_threads: int = Field(2, ge=1, le=64, description="Processor threads that encoding may use.")
    fetch_abstracts: bool = Field(
        True,
        description="Fetch the abstracts of the starter edition from arXiv in the background, at arXiv's "
        "pace (one request in three seconds).",
    )
    arxiv_url: str = Field(
        "https://export.arxiv.org/api/query",
        description="arXiv's query API; another address only for a mirror of it.",
    )
    arxiv_categories: str = Field(
        "cs.AI,cs.CL,cs.CV,cs.LG,stat.ML",
        description="Categories of arXiv to gather, separated by commas; `cs` or `hep-th` means a whole "
        "archive. The default is where machine learning appears. Empty means none.",
    )
    arxiv_first_days: int = Field(
        7,
        ge=0,
        description="How many days back the first gathering from arXiv begins: a week fills the first "
        "pages soon. 0 means the whole copy of these categories, which takes hours.",
    )
    arxiv_oai_format: Literal["arXivRaw", "arXiv"] = Field(
        "arXivRaw",
        description="Format of the copy: `arXivRaw` tells all versions, `arXiv` the parts of names.",
    )
    arxiv_holidays: str = Field(
        "",
        description="Evenings (YYYY-MM-DD, US Eastern, divided by commas) on which arXiv announces nothing, "
        "beside those of 2025 and 2026, which are known. arXiv publishes the list of each year on "
        "https://info.arxiv.org/help/availability.html.",
    )
    arxiv_oai_url: str = Field(
        "https://oaipmh.arxiv.org/oai", description="arXiv's OAI-PMH server, or a mirror of it."
    )
    arxiv_feed_url: str = Field(
        "https://rss.arxiv.org/rss",
        description="arXiv's feeds of the day, without the category; `https://rss.arxiv.org/atom` does, too.",
    )
    contact: str = Field(
        "",
        description="E-mail address or web page in the User-Agent of outgoing requests, as the services ask.",
    )
    gather: bool = Field(
        True,
        description="Gather from the sources while serving, each at the hours at which it publishes. "
        "`broadsheet gather` does it by hand.",
    )
    sources: str = Field(
        "",
        description="Sources to gather from by default, separated by commas; `feed` means all feeds. "
        "Empty means every source that is configured.",
    )
    allow_private_addresses: bool = Field(
        False,
        description="Whether addresses that people give (feeds, files) may lead to this machine or into "
        "its private network. Off, so that nobody can look through this program at what stands behind it.",
    )
    pace_folder: str = Field(
        "",
        description="Folder where the time of the last request to each service is kept, shared by all homes "
        "of this machine. Empty means the user's state folder; a container sets one on a volume.",
    )
    daily_papers: bool = Field(True, description="Gather the Daily Papers of Hugging Face, day by day.")
    daily_papers_url: str = Field(
        "https://huggingface.co/api/daily_papers", description="The Daily Papers API, or a mirror of it."
    )
    daily_papers_again: int = Field(
        7,
        ge=1,
        le=60,
        description="Days before today whose Daily Papers are asked for again each time, because votes go on "
        "counting; after a week hardly any come.",
    )
    openreview_venues: str = Field(
        "",
        description="Venues to gather from OpenReview, as venue ids separated by commas: "
        "`ICLR.cc/2026/Conference,TMLR`. Empty means none.",
    )
    openreview_submissions: bool = Field(
        False,
        description="Gather all public submissions to these venues too: under review, rejected, withdrawn. "
        "Off, because they are several times as many as the accepted papers.",
    )
    openreview_url: str = Field(
        "https://api2.openreview.net/notes", description="OpenReview's notes (API version 2), or a mirror."
    )
    acl_collections: str = Field(
        "",
        description="What to gather from the ACL Anthology, separated by commas: venues (`acl,emnlp`: this "
        "year and the last) and collections (`2021.metanlp`, `P19`). Empty means none.",
    )
    acl_url: str = Field(
        "https://raw.githubusercontent.com/acl-org/acl-anthology/master/data/xml",
        description="Folder of the Anthology's XML files, or a mirror of it.",
    )
    biorxiv_categories: str = Field(
        "",
        description="Categories to gather from bioRxiv, separated by commas (`neuroscience,cell biology`); "
        "`all` means all. Empty means none.",
    )
    medrxiv_categories: str = Field(
        "",
        description="Categories to gather from medRxiv, separated by commas (`epidemiology,oncology`); "
        "`all` means all. Empty means none.",
    )
    biorxiv_url: str = Field(
        "https://api.biorxiv.org", description="The API of bioRxiv and medRxiv, or a mirror of it."
    )
    pubmed_search: str = Field(
        "",
        description="Search to gather from PubMed, as its own page takes it: "
        '`"deep learning"[Title] AND radiology`. Empty means none.',
    )
    pubmed_api_key: str = Field(
        "",
        description="API key of an NCBI account: with one ten requests a second are allowed, without three.",
    )
    pubmed_url: str = Field(
        "https://eutils.ncbi.nlm.nih.gov/entrez/eutils", description="NCBI's E-utilities, or a mirror."
    )
    crossref_url: str = Field(
        "https://api.crossref.org", description="Crossref's REST API, or a mirror of it."
    )
    crossref_mailto: str = Field(
        "",
        description="E-mail address that puts requests into Crossref's polite pool. Setting it switches "
        "Crossref on, as naming `crossref` in `BROADSHEET_SOURCES` does.",
    )
    openalex_url: str = Field("https://api.openalex.org", description="OpenAlex's API, or a mirror of it.")
    openalex_key: str = Field(
        "",
        description="API key of OpenAlex (free). Setting it switches OpenAlex on, as naming `openalex` in "
        "`BROADSHEET_SOURCES` does; without a key OpenAlex answers about a hundred requests a day.",
    )
    semantic_scholar_url: str = Field(
        "https://api.semanticscholar.org", description="Semantic Scholar's API, or a mirror of it."
    )
    semantic_scholar_key: str = Field(
        "",
        description="API key of Semantic Scholar. Setting it switches Semantic Scholar on, as naming "
        "`semantic_scholar` in `BROADSHEET_SOURCES` does; without a key all the world shares one pace.",
    )
    github_url: str = Field(
        "https://api.github.com", description="GitHub's API, or that of a GitHub Enterprise server."
    )
    github_token: str = Field(
        "",
        description="Token of GitHub without any permission. Setting it switches the counting of stars on, "
        "as naming `github` in `BROADSHEET_SOURCES` does; without one GitHub answers 60 requests an hour.",
    )
    feeds: str = Field(
        "",
        description="Addresses of RSS, Atom and JSON feeds to gather, separated by spaces. Those of "
        "`HOME/feeds.opml`, which `broadsheet add feeds.opml` writes, are gathered too.",
    )
    folder_path: str = Field(
        "",
        description="Folder that is watched for dropped files of papers, in every format that `broadsheet "
        "add` reads. They are left where they are. Empty means none.",
    )
    zotero_library: str = Field(
        "", description="Zotero library to gather: `users/NUMBER` or `groups/NUMBER`. Empty means none."
    )
    zotero_key: str = Field("", description="API key of Zotero with read access; a public group needs none.")
    zotero_url: str = Field(
        "https://api.zotero.org",
        description="Zotero's web API; `http://127.0.0.1:23119/api` is the Zotero program on this machine "
        "(with `users/0` as library).",
    )

    websub_hub: str = Field(
        "",
        description="WebSub hub that the feeds name and that is told of new papers, for example "
        "`https://pubsubhubbub.appspot.com/`; it needs `BROADSHEET_BASE_URL`. Empty means none: readers ask.",
    )

    @property
    def store_url(self) -> str:
        """The database as an SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.home / 'broadsheet.db'}"

    smtp_url: str = Field(
        "",
        description="Mail server that takes the editions: `smtp://user:password@host:587` (STARTTLS where "
        "the server offers it, always with a password), `smtps://...:465` (TLS from the start). Empty: no "
        "mail is sent. `?tls=no` allows a password without encryption, on a wire that nobody else can read.",
    )
    mail_from: str = Field(
        "",
        description="Sender of the editions: `papers@example.org` or `The Daily <papers@example.org>`. Empty "
        "means `broadsheet@` and the host of `base_url`.",
    )
    mail_reply_to: str = Field("", description="Where answers to an edition go, if not to its sender.")
    mail_bounces: str = Field(
        "",
        description="Address that undelivered mail comes back to. With a `+` before the `@`, as in "
        "`bounces+@example.org`, each mail gets its own, so that every bounce tells which mail it is of.",
    )
    bounces_url: str = Field(
        "",
        description="Mailbox that undelivered mail comes back to, read every few minutes: "
        "`imaps://user:password@host/INBOX`. What was read is marked as seen and left there. Empty: none.",
    )
    bounces_secret: str = Field(
        "",
        description="Secret with which a mail server or mail service may post what came back to "
        "`/hooks/bounces`. Empty: nothing is taken there.",
    )
    operator_key: str = Field(
        "",
        description="Key that opens the page of deliveries from other machines, given once as "
        "`/delivery?key=...`. Empty: only a browser on this machine sees it.",
    )
    dns_server: str = Field(
        "",
        description="DNS server that `broadsheet doctor` asks for the records of the sender, as "
        "`192.0.2.53` or `192.0.2.53:5353`. Empty means those of this machine.",
    )
    mail_postal_address: str = Field(
        "",
        description="Line at the foot of each mail, as some countries require: who sends it, from where.",
    )
    refused_mail_domains: str = Field(
        "", description="Domains whose addresses cannot subscribe, separated by commas: disposable ones, say."
    )
    mail_connections: int = Field(
        4, ge=1, le=50, description="Connections to the mail server at one time; many servers allow ten."
    )
    mail_domain_rate: float = Field(
        0,
        ge=0,
        le=1000,
        description="Mails a second to addresses of one domain, where its servers turn down more. 0: no "
        "limit, since the mail server that takes the editions usually keeps such limits itself.",
    )
    deliver: bool = Field(
        True,
        description="Compose and send the editions that are due while serving. Mail is sent where a mail "
        "server is set; `broadsheet digest` does it by hand, or by cron.",
    )
    dkim_key: str = Field(
        "",
        description="File with the private key (PEM) that signs mails. Empty: the mail server signs them.",
    )
    dkim_selector: str = Field(
        "broadsheet", description="Name of the DKIM key in the DNS: `<selector>._domainkey.<domain>`."
    )

    @property
    def front_list_names(self) -> list[str]:
        return [name.strip() for name in self.front_lists.split(",") if name.strip()]


def load_settings(home: Path | None = None) -> Settings:
    """The settings of ``home`` (default: ``BROADSHEET_HOME``, else the user's data folder).

    Environment variables go before ``HOME/broadsheet.env``, which goes before the defaults.
    """
    folder = home or Settings().home
    given = {"home": folder} if home else {}
    return Settings(_env_file=folder / "broadsheet.env", **given)
