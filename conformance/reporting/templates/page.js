"use strict";
(() => {
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // What cannot hold both languages (titles, options, labels, placeholders) has them as data.
  const words = () => {
    const short = root.dataset.language === "en" ? "En" : "Zh";
    for (const element of document.querySelectorAll("[data-en], [data-label-en], [data-placeholder-en]")) {
      const data = element.dataset;
      if (data[short.toLowerCase()] !== undefined) element.textContent = data[short.toLowerCase()];
      if (data[`label${short}`] !== undefined) element.setAttribute("aria-label", data[`label${short}`]);
      if (data[`placeholder${short}`] !== undefined) element.placeholder = data[`placeholder${short}`];
    }
  };
  const speak = (language) => {
    root.dataset.language = language;
    root.lang = language;
    words();
  };
  const paint = (theme) => {
    root.dataset.theme = theme;
  };
  const remember = (values) => {
    const kept = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(values)) {
      if (value) kept.set(name, value);
      else kept.delete(name);
    }
    const query = kept.size ? `?${kept}` : "";
    if (query === location.search) return;
    try {
      history.replaceState(null, "", `${location.pathname}${query}${location.hash}`);
    } catch {
      // A page opened from a file may not change its address; the choice then lasts until it is closed.
    }
  };

  speak((asked.get("lang") || navigator.language || "en").toLowerCase().startsWith("zh") ? "zh-CN" : "en");
  if (["dark", "light"].includes(asked.get("theme"))) paint(asked.get("theme"));

  const copyText = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const box = document.createElement("textarea");
      box.value = text;
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
    }
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, 1500);
  };
  const copy = (button) => copyText(button.parentElement.querySelector("pre").textContent, button);
  const deeds = {
    language: () => {
      speak(root.dataset.language === "en" ? "zh-CN" : "en");
      remember({ lang: root.dataset.language === "en" ? "en" : "zh" });
    },
    theme: () => {
      const now = root.dataset.theme || (dark.matches ? "dark" : "light");
      paint(now === "dark" ? "light" : "dark");
      remember({ theme: root.dataset.theme });
    },
    copy,
  };

  // What is folded away stands in noscript elements, which costs next to nothing until it is opened.
  const unpack = (fold) => {
    const packed = fold.querySelector(":scope > noscript");
    if (!packed) return;
    const box = document.createElement("template");
    box.innerHTML = packed.textContent;
    dress(box.content);
    packed.replaceWith(box.content);
  };
  const dress = (place) => {
    const button = document.getElementById("copy").content;
    for (const box of place.querySelectorAll(".copied")) box.prepend(button.cloneNode(true));
  };
  const find = (id) => {
    const fold = document.getElementById(id.replace(/\.at-\d+$/, ""));
    if (fold?.localName === "details") unpack(fold);
    return document.getElementById(id);
  };
  const reveal = () => {
    const target = find(location.hash.slice(1));
    for (let place = target; place; place = place.parentElement) {
      if (place.localName === "details") place.open = true;
    }
    target?.scrollIntoView();
  };
  // What the script of one page adds to.
  globalThis.relayPage = { deeds, copyText, remember, reveal, unpack };

  let opened = [];
  addEventListener("beforeprint", () => {
    const folds = [...document.querySelectorAll("details[data-print], details.card")];
    for (const details of folds) unpack(details);
    for (const details of document.querySelectorAll(".rest")) unpack(details);
    opened = folds.filter((details) => !details.open);
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
  addEventListener("hashchange", reveal);
  document.addEventListener("toggle", (event) => event.target.open && unpack(event.target), true);
  addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) deeds[button.dataset.do](button);
  });
  addEventListener("DOMContentLoaded", () => {
    words();
    for (const button of document.querySelectorAll("button[data-do]")) button.hidden = false;
    dress(document);
    reveal();
  });
})();
