// Sets the theme before anything is drawn; so it is no module, which would come too late.
(() => {
  "use strict";
  const remembered = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is switched off
    }
  };
  const preferred = () => (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
  const set = (theme) => document.documentElement.setAttribute("data-theme", theme);
  set(remembered() ?? preferred());
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => {
    if (remembered() === null) {
      set(preferred());
      dispatchEvent(new Event("themechange"));
    }
  });
})();
