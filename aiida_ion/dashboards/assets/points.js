// A click on a point of a figure leads to the provenance of its node: the first of what it carries is a UUID.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.points = {
  follow: function (click) {
    var point = click && click.points && click.points[0];
    var data = point && point.customdata;
    var uuid = Array.isArray(data) ? data[0] : data;
    if (typeof uuid !== "string" || !/^[0-9a-f-]{36}$/i.test(uuid)) return;
    window.dashboardFollowed = true;
    window.history.pushState({}, "", "/provenance?uuid=" + uuid);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  },
};
