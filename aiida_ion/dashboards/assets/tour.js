// A short tour on the first visit: one sentence for each part of the page. It covers nothing that is used, Escape ends
// it, and that it was seen is kept by the browser alone.
(function () {
  var KEY = "aiida-ion-tour";
  // Selector of a part -> what it is for; parts that are not on the page are left out.
  var STOPS = [
    ["#nav", "Pages", "Overview says what there is; Materials lists all of it; Compare sets levels of theory beside each other and beside experiment; Provenance shows where any number comes from."],
    ["main .figure", "Figures", "A click on a point leads to the node behind it. Drag to zoom, double-click to see everything again, and click the legend to hide a series. “Axes” sets ranges and scales by numbers."],
    ["main button[data-download]", "Files", "Every figure is saved as SVG, PNG or CSV, and every table as CSV, with intervals and bounds."],
    ["main .badge, main .stat, main .headline", "Verdicts", "A value has its 95 % interval and a grade. “<” is an upper bound; “undetermined” and “poorly known” are never shown as a number."],
    ["#theme-switch", "Your view", "The address holds filters, order and choices: send it, and others see the same. The theme is yours alone."],
  ];
  var box = null, place = 0, before = null;

  function seen() {
    try { return window.localStorage.getItem(KEY) === "seen"; } catch (error) { return true; }
  }

  function keep() {
    try { window.localStorage.setItem(KEY, "seen"); } catch (error) { /* storage is switched off */ }
  }

  function element(tag, attributes, text) {
    var made = document.createElement(tag);
    Object.keys(attributes).forEach(function (name) { made.setAttribute(name, attributes[name]); });
    if (text) made.textContent = text;
    return made;
  }

  function stops() {
    return STOPS.filter(function (stop) { return document.querySelector(stop[0]); });
  }

  function unmark() {
    document.querySelectorAll(".tour-target").forEach(function (one) { one.classList.remove("tour-target"); });
  }

  function end() {
    if (!box) return;
    keep();
    unmark();
    box.remove();
    box = null;
    if (before && document.contains(before)) before.focus();
  }

  function show() {
    var parts = stops();
    if (!parts.length) return end();
    place = Math.max(0, Math.min(place, parts.length - 1));
    unmark();
    document.querySelector(parts[place][0]).classList.add("tour-target");
    box.querySelector("h2").textContent = parts[place][1];
    box.querySelector("p").textContent = parts[place][2];
    box.querySelector(".tour-count").textContent = (place + 1) + " of " + parts.length;
    box.querySelector("[data-tour=back]").disabled = place === 0;
    box.querySelector("[data-tour=next]").textContent = place === parts.length - 1 ? "Done" : "Next";
  }

  function start(asked) {
    if (box) return;
    before = asked ? document.activeElement : null;
    place = 0;
    box = element("aside", { id: "tour", role: "dialog", "aria-modal": "false", "aria-labelledby": "tour-title" });
    box.appendChild(element("h2", { id: "tour-title", tabindex: "-1" }));
    box.appendChild(element("p", { "aria-live": "polite" }));
    var line = element("div", { "class": "actions" });
    line.appendChild(element("span", { "class": "tour-count muted" }));
    line.appendChild(element("button", { type: "button", "class": "small", "data-tour": "end" }, "Close (Esc)"));
    line.appendChild(element("button", { type: "button", "class": "small", "data-tour": "back" }, "Back"));
    line.appendChild(element("button", { type: "button", "class": "small strong", "data-tour": "next" }, "Next"));
    box.appendChild(line);
    document.body.appendChild(box);
    show();
    // Who asked for it reads it; on a first visit the keyboard stays where it is.
    if (asked) box.querySelector("h2").focus();
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("#tour-start, #tour [data-tour]");
    if (!button) return;
    if (button.id === "tour-start") return start(true);
    if (button.dataset.tour === "end" || button.textContent === "Done") return end();
    place += button.dataset.tour === "next" ? 1 : -1;
    show();
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && box) end();
  });

  // The first visit: when the page is there, and not while its results are still being read.
  function wait(tries) {
    var ready = document.querySelector("main h1") && !document.querySelector("main [role=status] .empty-title");
    if (ready) return start(false);
    if (tries > 0) setTimeout(function () { wait(tries - 1); }, 500);
  }
  if (!seen()) window.addEventListener("load", function () { wait(240); });
})();
