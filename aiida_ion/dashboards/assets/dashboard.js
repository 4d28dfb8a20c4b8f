// Address and theme of the page. Every function here is named in aiida_ion/dashboards/app.py or grids.py.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.dashboard = (function () {
  var noUpdate = function () { return window.dash_clientside.no_update; };
  var root = document.documentElement;

  function keep(theme) {
    try { window.localStorage.setItem("aiida-ion-theme", theme); } catch (error) { /* storage is switched off */ }
  }

  // The theme of the address belongs to the link; who switches makes a choice of their own.
  function forgetNamedTheme() {
    var parameters = new URLSearchParams(window.location.search);
    if (!parameters.has("theme")) return;
    parameters.delete("theme");
    var rest = parameters.toString();
    window.history.replaceState(window.history.state, "", window.location.pathname + (rest ? "?" + rest : ""));
  }

  return {
    theme: function (clicks) {
      if (clicks) {
        root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
        keep(root.dataset.theme);
        forgetNamedTheme();
      }
      var dark = root.dataset.theme === "dark";
      document.getElementById("theme-switch").textContent = "Switch to " + (dark ? "light" : "dark") + " theme";
      return root.dataset.theme;
    },

    address: function (pathname, search, theme, shown) {
      // The window knows better than the properties, which lag behind when the theme leaves the address.
      var here = { path: window.location.pathname, search: window.location.search, theme: theme };
      var same = shown && ["path", "search", "theme"].every(function (key) { return shown[key] === here[key]; });
      return same ? noUpdate() : here;
    },

    // A page that waits for its tables asks for them once more, unless it has been left.
    again: function (number, address) {
      if (!number || !address || address.path !== window.location.pathname) return noUpdate();
      return Object.assign({}, address, { again: number });
    },

    write: function (query, shown) {
      // A page that has been left no longer writes.
      if (!query || query.path !== window.location.pathname) return [noUpdate(), noUpdate()];
      var named = new URLSearchParams(window.location.search).get("theme");
      var parts = [query.query, named && "theme=" + encodeURIComponent(named)].filter(Boolean);
      var search = parts.length ? "?" + parts.join("&") : "";
      if (search !== window.location.search) {
        window.history.replaceState(window.history.state, "", window.location.pathname + search);
      }
      var now = Object.assign({}, shown, { path: window.location.pathname, search: search });
      return [search, now];
    },

    arrive: function (children, title) {
      var first = document.title === "aiida-ion";
      document.title = title ? title + " · aiida-ion" : "aiida-ion";
      // After a link, readers and the keyboard begin at the new page.
      if (!first && window.dashboardFollowed) document.getElementById("content").focus({ preventScroll: true });
      window.dashboardFollowed = false;
    },

    // The last argument is the grid's id, the others what its rows depend on.
    askAgain: function () {
      dash_ag_grid.getApiAsync(arguments[arguments.length - 1]).then(function (api) { api.purgeInfiniteCache(); });
    },

    showColumns: function (names) {
      var trigger = window.dash_clientside.callback_context.triggered_id;
      if (!trigger) return;
      dash_ag_grid.getApiAsync(trigger.grid).then(function (api) {
        var all = api.getColumns().map(function (column) { return column.getColId(); });
        api.setColumnsVisible(all.filter(function (id) { return names.indexOf(id) < 0; }), false);
        api.setColumnsVisible(names, true);
      });
    },
  };
})();

document.addEventListener("click", function (event) {
  var link = event.target.closest && event.target.closest("a[href]");
  if (!link || link.getAttribute("href").charAt(0) !== "/") return;
  window.dashboardFollowed = true;
  // Links in tables are plain anchors: go there without loading everything again.
  if (!link.dataset.page || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  window.history.pushState({}, "", link.getAttribute("href"));
  window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  window.scrollTo(0, 0);
});
