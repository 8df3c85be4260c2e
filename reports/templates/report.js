
(() => {
  // what changes on the page is also said to those who do not see it
  const heard = document.createElement("p");
  heard.className = "heard";
  heard.setAttribute("role", "status");
  document.querySelector("main").append(heard);
  const make = (tag, kind, said) => {
    const made = document.createElement(tag);
    made.className = kind;
    made.textContent = said;
    return made;
  };

  const chips = document.querySelector(".chips");
  const buttons = chips ? [...chips.querySelectorAll("button")] : [];
  const show = (chosen) => {
    for (const button of buttons) {
      const pressed = button.dataset.show === chosen.dataset.show;
      button.setAttribute("aria-pressed", String(pressed));
    }
    const all = chosen === buttons[0];
    for (const part of document.querySelectorAll("[data-of]")) {
      part.hidden = !all && !part.dataset.of.split(" ").includes(chosen.dataset.show);
      if (!all && !part.hidden) part.open = true;
    }
    heard.textContent = chosen.dataset.said;
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      show(button.getAttribute("aria-pressed") === "true" ? buttons[0] : button);
    });
  }
  if (chips) {
    chips.hidden = false;
    chips.parentElement.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || buttons[0].getAttribute("aria-pressed") === "true") return;
      show(buttons[0]);
      buttons[0].focus();
    });
  }

  // a link to a finding unfolds it
  const unfold = (target) => {
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part.matches("details")) part.open = true;
    for (const part of target.querySelectorAll(":scope > .about")) part.open = true;
  };
  const of = (hash) => document.getElementById(hash.slice(1));
  addEventListener("hashchange", () => unfold(of(location.hash)));
  for (const link of document.querySelectorAll("a[href^='#']")) {
    link.addEventListener("click", () => unfold(of(link.hash)));
  }
  unfold(of(location.hash));

  for (const button of document.querySelectorAll(".copy")) {
    const code = button.parentElement.querySelector("code");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      heard.textContent = button.textContent;
      setTimeout(() => { button.textContent = "Copy"; heard.textContent = ""; }, 2000);
    });
  }

  // a column sorts its table: numbers by value, all else as words
  const value = (row, at) => row.cells[at].textContent.trim();
  const amount = (said) => (/^[−-]?[\d,]*\.?\d+/.test(said) ? parseFloat(said.replace(/,/g, "").replace("−", "-")) : NaN);
  const order = (a, b) => {
    const [x, y] = [amount(a), amount(b)];
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    return Number.isNaN(x) - Number.isNaN(y) || a.localeCompare(b, "en", { numeric: true });
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    if (body.rows.length < 2) continue;
    const first = [...body.rows], seen = first.filter((row) => !row.classList.contains("folded")).length;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      const button = make("button", "sort", head.textContent);
      button.type = "button";
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const next = was === "ascending" ? "descending" : was ? "" : "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        if (next) head.setAttribute("aria-sort", next);
        const rows = next ? [...first].sort((a, b) => order(value(a, at), value(b, at))) : [...first];
        if (next === "descending") rows.reverse();
        rows.forEach((row, place) => row.classList.toggle("folded", place >= seen));
        body.append(...rows);
        heard.textContent = next ? `Sorted by ${button.textContent}, ${next}` : "In the order of the report";
      });
    });
  }

  // the sample that is shown, as a file: a cell that a spreadsheet would compute is made text
  const quoted = (cell) => {
    const said = /^[=+@\t\r-]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell;
    return /[",\n\r]/.test(said) ? `"${said.replace(/"/g, '""')}"` : said;
  };
  for (const table of document.querySelectorAll("table[data-file]")) {
    const button = make("button", "csv", "Save as CSV");
    button.type = "button";
    button.setAttribute("aria-label", `Save the sample of ${table.dataset.file.replace("rule-", "")} as CSV`);
    button.addEventListener("click", () => {
      const lines = [...table.rows].map((row) => [...row.cells].map((cell) => quoted(cell.textContent.trim())).join(","));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv;charset=utf-8" }));
      link.download = `${table.dataset.file}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      heard.textContent = `${lines.length - 1} rows saved`;
    });
    table.caption.append(" ", button);
  }

  // what a bar stands for is shown at once, where a browser alone waits and a finger sees nothing
  const tip = make("div", "tip", "");
  tip.setAttribute("aria-hidden", "true");
  tip.hidden = true;
  document.body.append(tip);
  let over = null, told = null;
  const leave = () => {
    if (over && told) over.prepend(told);
    over = told = null;
    tip.hidden = true;
  };
  const point = (event) => {
    const path = event.target.closest?.(".drawing path");
    if (path !== over) {
      leave();
      told = path?.querySelector("title") ?? null;
      if (!told) return;
      over = path;
      told.remove();
      tip.textContent = told.textContent;
      tip.hidden = false;
    }
    if (!over) return;
    const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(left, 8) + scrollX}px`;
    tip.style.top = `${event.clientY + scrollY - tip.offsetHeight - 12}px`;
  };
  document.addEventListener("pointermove", point);
  document.addEventListener("pointerdown", point);
  addEventListener("beforeprint", leave);

  const search = document.querySelector(".search");
  if (!search) return;
  const field = search.querySelector("input"), list = search.querySelector("ol");
  const MOST = 10;
  const row = (place) => {
    const names = [...place.closest("table").tHead.rows[0].cells].map((cell) => cell.textContent);
    const cells = [...place.cells].map((cell, at) => [names[at], cell.textContent.trim()]).filter(([, said]) => said);
    cells.sort(([a], [b]) => (b === "name") - (a === "name")); // what it is called comes first
    return cells.map(([name, said]) => (name === "name" ? said : `${name} ${said}`)).join(" · ");
  };
  const places = [
    ...[...document.querySelectorAll(".finding h3, table.compact tbody th, dl.skipped .pair")].map((place) => ({ place, said: place.textContent })),
    ...[...document.querySelectorAll("table.samples tbody tr")].map((place) => ({ place, said: row(place) })),
  ].map(({ place, said }) => ({ place, said: said.replace(/\s+/g, " ").trim() }));
  for (const entry of places) entry.low = entry.said.toLocaleLowerCase();
  const within = (place) => place.closest(".finding")?.querySelector("h3")?.textContent.replace(/\s+/g, " ").trim();
  const go = (place) => {
    unfold(place.closest(".finding") ?? place);
    const fold = place.closest(".sample")?.querySelector(".more-rows");
    if (fold) fold.open = true;
    for (const marked of document.querySelectorAll(".struck")) marked.classList.remove("struck");
    place.classList.add("struck");
    place.tabIndex = -1;
    place.scrollIntoView({ block: "center" });
    place.focus({ preventScroll: true });
  };
  const find = () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    const found = wanted ? places.filter((entry) => entry.low.includes(wanted)) : [];
    list.replaceChildren(...found.slice(0, MOST).map(({ place, said }) => {
      const button = make("button", "", said.length > 140 ? `${said.slice(0, 139)}…` : said);
      button.type = "button";
      if (place.matches("tr")) button.append(make("span", "name", ` in ${within(place) ?? "a table"}`));
      button.addEventListener("click", () => go(place));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
    const total = found.length === 1 ? "1 place" : `${found.length.toLocaleString("en")} places`;
    const said = found.length ? (found.length > MOST ? `${total}, of which the first ${MOST}` : total)
      : "Not in this report, which holds samples; taxcheck why tells of any node.";
    if (wanted) list.append(make("li", "said", said));
    heard.textContent = wanted ? said : "";
  };
  field.addEventListener("input", find);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") list.querySelector("button")?.click();
    if (event.key === "Escape") { field.value = ""; find(); }
  });
  search.hidden = false;
})();
