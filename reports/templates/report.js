
(() => {
  const chips = document.querySelector(".chips");
  const buttons = chips ? [...chips.querySelectorAll("button")] : [];
  const show = (chosen) => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.show === chosen));
    }
    for (const part of document.querySelectorAll("[data-of]")) {
      part.hidden = chosen !== "all" && !part.dataset.of.split(" ").includes(chosen);
      if (chosen !== "all" && !part.hidden) part.open = true;
    }
  };
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.show));
  if (chips) chips.hidden = false;

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
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }
})();
