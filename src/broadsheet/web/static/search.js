// Optional: what a reader may be typing, under the search field (the combobox pattern of ARIA).
(() => {
  const d = document, field = d.getElementById("q"), form = field.form, say = d.getElementById("say");
  const list = form.appendChild(d.createElement("ul"));
  let timer, asked, at = -1;
  list.id = "suggestions";
  list.hidden = true;
  const set = (e, all) => Object.entries(all).forEach(([name, value]) => e.setAttribute(name, value));
  set(list, { role: "listbox", "aria-label": "Suggestions" });
  set(field, { role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" });

  const close = () => {
    clearTimeout(timer);
    asked?.abort();
    list.hidden = true;
    field.ariaExpanded = false;
    mark(-1);
  };
  const mark = to => {
    at = to;
    [...list.children].forEach((e, n) => e.ariaSelected = n === at);
    if (at < 0) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  };
  const choose = option => {
    field.value = option.dataset.query;
    close();
    form.requestSubmit();
  };
  const show = ([, queries, kinds]) => {
    list.replaceChildren(...queries.map((query, n) => {
      const option = d.createElement("li"), kind = d.createElement("span");
      set(option, { role: "option", id: "suggestion-" + n });
      option.dataset.query = query;
      kind.textContent = kinds[n];
      option.append(query.replace(/^author:"(.*)"$/, "$1"), " ", kind);
      return option;
    }));
    list.hidden = !queries.length;
    field.ariaExpanded = !list.hidden;
    mark(-1);
    say.textContent = list.hidden ? "" : queries.length + " suggestions, up and down to choose";
  };
  const ask = async () => {
    asked = new AbortController();
    try {
      const answer = await fetch("/suggest?q=" + encodeURIComponent(field.value), { signal: asked.signal });
      if (answer.ok) show(await answer.json());
    } catch { /* typed on, or no answer: the field works without */ }
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    asked?.abort();
    if (field.value.trim().length < 2) close();
    else timer = setTimeout(ask, 120);
  });
  field.addEventListener("keydown", e => {
    const count = list.children.length, step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (list.hidden || e.isComposing) return;
    // One place more than there are: none is chosen, and what was typed stands.
    if (step) mark((at + 1 + step + count + 1) % (count + 1) - 1);
    else if (e.key === "Enter" && at >= 0) choose(list.children[at]);
    else if (e.key === "Escape") close();
    else return;
    e.preventDefault();
  });
  // The field keeps the focus while an option is pressed.
  list.addEventListener("mousedown", e => e.preventDefault());
  list.addEventListener("click", e => choose(e.target.closest("li")));
  field.addEventListener("blur", close);
  form.addEventListener("submit", close);
})();
