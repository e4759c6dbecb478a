"use strict";
(() => {
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  const speak = (language) => {
    root.dataset.language = language;
    root.lang = language;
  };
  const paint = (theme) => {
    root.dataset.theme = theme;
  };
  const remember = (name, value) => {
    asked.set(name, value);
    try {
      history.replaceState(null, "", `?${asked}${location.hash}`);
    } catch {
      // A page opened from a file may not change its address; the choice then lasts until it is closed.
    }
  };

  speak((asked.get("lang") || navigator.language || "en").toLowerCase().startsWith("zh") ? "zh-CN" : "en");
  if (["dark", "light"].includes(asked.get("theme"))) paint(asked.get("theme"));

  const copy = async (button) => {
    const source = button.parentElement.querySelector("pre");
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      document.execCommand("copy");
    }
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, 1500);
  };
  const deeds = {
    language: () => {
      speak(root.dataset.language === "en" ? "zh-CN" : "en");
      remember("lang", root.dataset.language === "en" ? "en" : "zh");
    },
    theme: () => {
      const now = root.dataset.theme || (dark.matches ? "dark" : "light");
      paint(now === "dark" ? "light" : "dark");
      remember("theme", root.dataset.theme);
    },
    copy,
  };

  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    for (let place = target; place; place = place.parentElement) {
      if (place.localName === "details") place.open = true;
    }
    target?.scrollIntoView();
  };

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details[data-print]:not([open]), details.card:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
  addEventListener("hashchange", reveal);
  addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (button) deeds[button.dataset.do](button);
  });
  addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("button[data-do]")) button.hidden = false;
    const button = document.getElementById("copy").content;
    for (const box of document.querySelectorAll(".copied")) box.prepend(button.cloneNode(true));
    reveal();
  });
})();
