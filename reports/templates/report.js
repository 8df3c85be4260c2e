
(() => {
  // what changes on the page is also said to those who do not see it
  const heard = document.createElement("p");
  heard.className = "heard";
  heard.setAttribute("role", "status");
  document.querySelector("main").append(heard);

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
  const unfold = (hash) => {
    const target = document.getElementById(hash.slice(1));
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part.matches("details")) part.open = true;
    for (const part of target.querySelectorAll(":scope > .about")) part.open = true;
  };
  addEventListener("hashchange", () => unfold(location.hash));
  for (const link of document.querySelectorAll("a[href^='#']")) {
    link.addEventListener("click", () => unfold(link.hash));
  }
  unfold(location.hash);

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
})();
