"use strict";
(() => {
  const trouble = new Set(["note", "unsupported", "inconclusive", "warn", "fail", "error"]);
  const fits = (card, wanted) => {
    if (wanted.operation && card.box.dataset.operation !== wanted.operation) return false;
    if (wanted.contract && card.box.dataset.contract !== wanted.contract) return false;
    const seen = wanted.side ? [card.verdicts[Number(wanted.side)]] : card.verdicts;
    if (wanted.verdict && !seen.includes(wanted.verdict)) return false;
    if (wanted.side && !wanted.verdict && !trouble.has(seen[0])) return false;
    return !wanted.text || card.text().includes(wanted.text);
  };

  const filter = (form) => {
    const cards = [...document.querySelectorAll("article[data-verdicts]")].map((box) => {
      let text;
      return { box, verdicts: box.dataset.verdicts.split(" "), text: () => (text ??= box.textContent.toLowerCase()) };
    });
    const names = [...form.elements].map((each) => each.name).filter(Boolean);
    const apply = (remember = true) => {
      const wanted = Object.fromEntries(new FormData(form));
      wanted.text = wanted.text.trim().toLowerCase();
      let count = 0;
      for (const card of cards) {
        const shown = fits(card, wanted);
        card.box.hidden = !shown;
        count += shown;
      }
      form.querySelector("output").value = String(count);
      document.getElementById("none-fits").hidden = count > 0;
      if (remember) relayPage.remember(wanted);
    };
    const asked = new URLSearchParams(location.search);
    for (const name of names) {
      const control = form.elements[name];
      control.value = asked.get(name) ?? "";
      if (control.selectedIndex === -1) control.value = "";
    }
    form.hidden = false;
    apply(false);
    form.addEventListener("input", () => apply());
    form.addEventListener("reset", () => setTimeout(() => apply()));
    form.addEventListener("submit", (event) => event.preventDefault());
    // A link to a difference that the filter hides shows it again.
    addEventListener("hashchange", () => {
      const target = document.getElementById(location.hash.slice(1));
      if (target?.closest("article[hidden]")) {
        form.reset();
        setTimeout(() => target.scrollIntoView());
      }
    });
    // So does a page that is opened at it.
    if (document.getElementById(location.hash.slice(1))?.closest("article[hidden]")) {
      form.reset();
      setTimeout(relayPage.reveal);
    }
  };

  const open = (button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(pressed));
      for (const cell of document.querySelectorAll("#matrix-table details")) cell.open = pressed;
    });
  };

  addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("filter");
    if (form) filter(form);
    for (const button of document.querySelectorAll("button[data-open]")) open(button);
  });
})();
