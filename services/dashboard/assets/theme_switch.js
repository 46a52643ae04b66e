// The switch between dark and light; what is chosen is remembered.

import { at, setText } from "/assets/dom.js";

export function showThemeSwitch() {
  const root = document.documentElement;
  const name = () => setText(at("theme"), root.dataset.theme === "light" ? "Dark" : "Light");
  at("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "light" ? "dark" : "light";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // Storage is switched off: it lasts until the page is left.
    }
    dispatchEvent(new Event("themechange"));
  });
  addEventListener("themechange", name);
  name();
}
