// Optional: keys j, k, o and / for readers who have turned them on or left them on, and "Copy" buttons.
(() => {
  const d = document, name = "broadsheet-keys", say = d.getElementById("say");
  let on = true;
  try { on = localStorage.getItem(name) !== "off"; } catch { /* no storage, no choice to keep */ }

  const links = () => [...d.querySelectorAll("article :is(h2, h3) > a")];
  addEventListener("keydown", e => {
    if (!on || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select")) return;
    const all = links(), at = all.indexOf(d.activeElement.closest("article")?.querySelector("h2 > a, h3 > a"));
    if (e.key === "/") d.getElementById("q").focus();
    else if (e.key === "j" && all.length) all[Math.min(at + 1, all.length - 1)].focus();
    else if (e.key === "k" && all.length) all[Math.max(at - 1, 0)].focus();
    else if (e.key === "o" && at >= 0) all[at].click();
    else return;
    e.preventDefault();
  });

  const toggle = d.getElementById("keys");
  const show = () => {
    toggle.textContent = on ? "Turn keys off" : "Turn keys on";
    toggle.previousElementSibling.hidden = !on;
  };
  toggle.parentElement.hidden = false;
  toggle.addEventListener("click", () => {
    on = !on;
    try { localStorage.setItem(name, on ? "on" : "off"); } catch { /* for this page only */ }
    show();
  });
  show();

  for (const button of d.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = d.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        say.textContent = button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        say.textContent = "Selected: copy it with your keyboard";
      }
    });
  }

  // The reader's own time zone, where none was chosen yet.
  const zone = d.querySelector("[data-zone]");
  if (zone?.value === "UTC") zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
})();
