// Runs before anything is painted: the theme of the address, else the one chosen last, else the system's.
(function () {
  var named = new URLSearchParams(window.location.search).get("theme");
  var kept = null;
  try { kept = window.localStorage.getItem("aiida-ion-theme"); } catch (error) { /* storage is switched off */ }
  var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  var known = function (name) { return name === "light" || name === "dark"; };
  var theme = known(named) ? named : known(kept) ? kept : dark ? "dark" : "light";
  document.documentElement.dataset.theme = theme;
})();
