"use strict";
(() => {
  const root = document.documentElement;
  const clean = (text) => text.replace(/\s+/g, " ").trim();

  // What an element says in the language that is shown: what is folded has no innerText of one language.
  const said = (node) => {
    let text = "";
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) text += child.data;
      else if (child.nodeType !== Node.ELEMENT_NODE || child.matches("button, .anchor, [aria-hidden]")) continue;
      else if (!child.lang || child.lang === root.dataset.language) text += said(child);
    }
    return text;
  };
  const text = (place, selector) => {
    const found = place.querySelector(selector);
    return found ? clean(said(found)) : "";
  };
  const pair = (name, value) => `${name}${root.dataset.language === "en" ? ": " : "："}${value}`;
  const rows = (place, selector) =>
    [...place.querySelectorAll(selector)].map((row) => {
      const [name, ...values] = row.children;
      return pair(clean(said(name)), values.map((value) => clean(said(value))).join(", "));
    });
  const ownCurl = (place) => {
    const line = place.querySelector(":scope > .smallest .copied pre, :scope > .curl .copied pre");
    return line ? ["", line.textContent.trim()] : [];
  };
  // One requirement; what stands above already is not said again. Why it is waived is no business of the provider's.
  const told = (card, above) => {
    const marks = [".badge", ".level b", "a.rule", ".operation"].map((each) => text(card, each));
    const lines = [
      text(card, "h3, .what"),
      ...[...card.querySelectorAll(":scope > p:not(.linked, .waiver)")].map((line) => clean(said(line))),
      ...rows(card, ":scope > .facts > div"),
    ].filter((line) => line && !above.has(line));
    const title = above.has(text(card, "h3, .what")) ? [] : lines.splice(0, 1);
    for (const line of [...title, ...lines]) above.add(line);
    return ["", ...title, marks.filter(Boolean).join(" · "), ...lines];
  };
  // A ticket for the provider's support: plain text, in the language that is shown.
  const ticket = (button) => {
    const item = button.closest(".item");
    for (const selector of [".entry", ".rest, .curl"])
      for (const fold of item.querySelectorAll(selector)) relayPage.unpack(fold);
    const entries = [...item.querySelectorAll(".entry:not([hidden])")];
    const cards = entries.length ? entries : [item];
    const lines = [
      pair(text(document, "#ticket-head"), text(document, "h1")),
      ...rows(document, ".about > div:not(.wide)"),
    ];
    const above = new Set();
    for (const [place, card] of cards.entries()) lines.push(...told(card, above), ...(place ? [] : ownCurl(card)));
    return relayPage.copyText(lines.join("\n"), button);
  };
  const link = (anchor) => relayPage.copyText(`${location.href.split("#")[0]}${anchor.getAttribute("href")}`, anchor);
  Object.assign(relayPage.deeds, { ticket, link });

  const addLink = (place, id) => {
    const line = place?.querySelector(":scope > .linked");
    if (!line || line.querySelector(".anchor")) return;
    const anchor = document.getElementById("link-here").content.firstElementChild.cloneNode(true);
    anchor.href = `#${id}`;
    line.append(" ", anchor);
  };
  const addTools = () => {
    const button = document.getElementById("ticket").content.firstElementChild;
    const equip = (item) => {
      addLink(item, item.id);
      const line = item.querySelector(":scope > .linked");
      if (line && !line.querySelector(".ticket")) line.append(" ", button.cloneNode(true));
    };
    for (const item of document.querySelectorAll("article.item, .item[open]")) equip(item);
    // Thousands of these are never opened: they get theirs when they are.
    const opened = (event) => {
      const place = event.target;
      if (!place.open) return;
      relayPage.unpack(place);
      if (place.matches(".item")) equip(place);
      else if (place.matches(".entry, .exchange")) addLink(place, place.id);
    };
    document.addEventListener("toggle", opened, true);
    for (const place of document.querySelectorAll(".entry[open]")) addLink(place, place.id);
  };

  const NAMES = { verdict: "v", op: "op", contract: "col" };
  const filter = (form) => {
    const lines = [...document.querySelectorAll("[data-v]")].map((box) => {
      let text;
      return { box, shown: true, text: () => (text ??= `${box.id} ${box.textContent}`.toLowerCase()) };
    });
    // Inner ones first: whether a group is empty depends on them.
    const groups = [...document.querySelectorAll("[data-group]")].reverse();
    const folds = new Map();
    const wanted = () => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    const fits = (line, asked, words) =>
      Object.entries(NAMES).every(([name, key]) => !asked[name] || line.box.dataset[key] === asked[name]) &&
      words.every((word) => line.text().includes(word));
    const apply = (remember = true) => {
      const asked = wanted();
      const words = asked.q.toLowerCase().split(/\s+/).filter(Boolean);
      const active = Object.values(asked).some(Boolean);
      let count = 0;
      for (const line of lines) {
        const shown = fits(line, asked, words);
        if (shown !== line.shown) line.box.hidden = !shown;
        line.shown = shown;
        count += shown;
      }
      for (const group of groups) {
        const empty = active && !group.querySelector("[data-v]:not([hidden])");
        if (group.hidden !== empty) group.hidden = empty;
        if (group.localName === "details" && group.matches(".fold, .many")) unfold(group, active && !empty);
      }
      form.querySelector("output").value = count.toLocaleString("en");
      document.getElementById("nothing-fits").hidden = count > 0;
      if (remember) relayPage.remember(Object.fromEntries(["verdict", "op", "contract", "q"].map((name) => [name, asked[name]])));
    };
    // What is found is shown, and folded as before when the filter ends.
    const unfold = (group, wide) => {
      if (wide && !folds.has(group)) {
        folds.set(group, group.open);
        group.open = true;
      } else if (!wide && folds.has(group)) {
        group.open = folds.get(group);
        folds.delete(group);
      }
    };
    const reset = () => {
      form.reset();
      apply();
    };
    const reveal = () => {
      const target = document.getElementById(location.hash.slice(1));
      if (!target?.closest("[hidden]") && !target?.querySelector(":scope > [hidden]")) return;
      reset();
      relayPage.reveal();
    };

    let due = 0;
    form.addEventListener("input", () => {
      clearTimeout(due);
      due = setTimeout(apply, 60);
    });
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", reveal);
    addEventListener("keydown", (event) => {
      const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        form.elements.q.focus();
      }
      if (event.key === "Escape" && (!typing || form.contains(typing))) reset();
    });

    const asked = new URLSearchParams(location.search);
    for (const name of ["verdict", "op", "contract", "q"]) {
      const control = form.elements[name];
      control.value = asked.get(name) ?? "";
      if (control.selectedIndex === -1) control.value = "";
    }
    form.querySelector(".all").textContent = lines.length.toLocaleString("en");
    form.hidden = false;
    apply(false);
    reveal();
  };

  // On paper: what findings point at, and not too much of it.
  const MOST_PRINTED = 60;
  let opened = [];
  addEventListener("beforeprint", () => {
    const fold = document.querySelector(".evidence");
    const cited = [...document.querySelectorAll(".exchange.cited")].slice(0, MOST_PRINTED);
    opened = [fold, ...cited].filter((place) => place && !place.open);
    for (const place of opened) {
      relayPage.unpack(place);
      place.open = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const place of opened) place.open = false;
  });

  // The marked place is packed away until its exchange is opened: the link itself leads to the exchange.
  addEventListener("click", (event) => {
    const place = event.target.closest?.("a[data-at]")?.dataset.at;
    if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (location.hash === `#${place}`) relayPage.reveal();
    else location.hash = `#${place}`;
  });
  addEventListener("DOMContentLoaded", () => {
    addTools();
    const form = document.getElementById("filter");
    if (form) filter(form);
  });
})();
