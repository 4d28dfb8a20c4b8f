// The button "Axes" of a figure: from, to and scale of each axis, typed instead of dragged. All of it is in the browser.
(function () {
  function element(tag, attributes, children) {
    var made = document.createElement(tag);
    Object.keys(attributes).forEach(function (name) { made.setAttribute(name, attributes[name]); });
    [].concat(children || []).forEach(function (child) {
      made.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
    });
    return made;
  }

  function plotOf(target) {
    var holder = document.getElementById(target);
    return holder && holder.querySelector(".js-plotly-plot");
  }

  // Axes of numbers that are seen and may be changed; one that follows another has no range of its own.
  function axesOf(plot) {
    var layout = plot._fullLayout, names = (layout._subplots || {});
    return ["xaxis", "yaxis"].reduce(function (all, kind) {
      (names[kind] || []).forEach(function (id) {
        var name = kind + id.slice(1), axis = layout[name];
        var numbers = axis && (axis.type === "linear" || axis.type === "log");
        if (numbers && axis.visible && !axis.fixedrange && !axis.matches && !follows(layout, axis)) all.push([name, axis]);
      });
      return all;
    }, []);
  }

  // Of axes that share their range the first one is named.
  function follows(layout, axis) {
    return (layout._axisMatchGroups || []).some(function (group) {
      return axis._id in group && Object.keys(group).sort()[0] !== axis._id;
    });
  }

  function title(axis, name) {
    var text = String((axis.title && axis.title.text) || "").replace(/<[^>]*>/g, "")
      .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&").trim();
    var isDefault = !text || /^Click to enter/.test(text);
    return isDefault ? (name.charAt(0) === "x" ? "horizontal axis" : "vertical axis") : text;
  }

  // Values of the points on an axis that are drawn at present.
  function valuesOn(plot, axis) {
    var letter = axis._id.charAt(0), values = [];
    plot._fullData.forEach(function (trace) {
      if (trace.visible !== true || (trace[letter + "axis"] || letter) !== axis._id) return;
      Array.prototype.forEach.call(trace[letter] || [], function (value) {
        if (typeof value === "number" && isFinite(value)) values.push(value);
      });
    });
    return values;
  }

  function notPositive(values) { return values.filter(function (value) { return value <= 0; }).length; }

  function shown(axis, end) {
    var value = axis.type === "log" ? Math.pow(10, end) : end;
    return String(Number(value.toPrecision(4)));
  }

  function number(field) {
    var text = field.value.trim().replace("−", "-").replace(",", ".");
    return text === "" ? null : Number(text);
  }

  // What a line of fields asks of Plotly; a sentence where it cannot be.
  function change(name, axis, fields) {
    var isLog = fields.log.checked, low = number(fields.low), high = number(fields.high), asked = {};
    if (isLog !== (axis.type === "log")) asked[name + ".type"] = isLog ? "log" : "linear";
    if (low === null && high === null) {
      asked[name + ".autorange"] = true;
      return asked;
    }
    var now = axis.range.map(function (end) { return axis.type === "log" ? Math.pow(10, end) : end; });
    var reversed = now[0] > now[1];
    if (low === null) low = Math.min(now[0], now[1]);
    if (high === null) high = Math.max(now[0], now[1]);
    if (!isFinite(low) || !isFinite(high)) return "From and to are numbers, such as 0.5 or 1e-3.";
    if (low >= high) return "From must be below to.";
    if (isLog && low <= 0) return "A logarithmic axis begins above zero.";
    var ends = isLog ? [Math.log10(low), Math.log10(high)] : [low, high];
    asked[name + ".range"] = reversed ? ends.reverse() : ends;
    return asked;
  }

  function line(plot, name, axis, say) {
    var about = title(axis, name), fields = {
      low: element("input", { type: "text", inputmode: "decimal", "aria-label": about + " from" }),
      high: element("input", { type: "text", inputmode: "decimal", "aria-label": about + " to" }),
      log: element("input", { type: "checkbox" }),
    };
    var coupled = axis.scaleanchor || Object.keys(plot._fullLayout).some(function (other) {
      return (plot._fullLayout[other] || {}).scaleanchor === axis._id;
    });
    var fixed = axis.type !== "log" && notPositive(valuesOn(plot, axis)) > 0;
    fields.log.disabled = Boolean(coupled) || fixed;
    var scale = element("label", {}, [fields.log, " logarithmic"]);
    if (fields.log.disabled) scale.title = coupled ? "Both axes have one scale." : "Some values are zero or below.";

    function refresh() {
      var now = plot._fullLayout[name];
      if (!now || !now.range) return;
      var ends = [shown(now, now.range[0]), shown(now, now.range[1])];
      if (Number(ends[0]) > Number(ends[1])) ends.reverse();
      if (document.activeElement !== fields.low) fields.low.value = ends[0];
      if (document.activeElement !== fields.high) fields.high.value = ends[1];
      fields.log.checked = now.type === "log";
    }

    function apply() {
      var asked = change(name, plot._fullLayout[name], fields);
      if (typeof asked === "string") return say(asked);
      say("");
      Plotly.relayout(plot, asked).then(refresh);
    }

    // Another scale begins with all points in sight: a range of the old one may lie below zero.
    function rescale() {
      say("");
      var asked = {};
      asked[name + ".type"] = fields.log.checked ? "log" : "linear";
      asked[name + ".autorange"] = true;
      Plotly.relayout(plot, asked).then(refresh);
    }

    fields.low.addEventListener("change", apply);
    fields.high.addEventListener("change", apply);
    fields.log.addEventListener("change", rescale);
    refresh();
    var made = element("div", { "class": "axis-line" }, [
      element("span", { "class": "axis-name" }, about),
      element("label", {}, ["from ", fields.low]), element("label", {}, ["to ", fields.high]), scale,
    ]);
    return { made: made, refresh: refresh };
  }

  function open(button, panel, plot) {
    var note = element("p", { "class": "axis-note", role: "status" });
    var say = function (text) { note.textContent = text; };
    var lines = axesOf(plot).map(function (pair) { return line(plot, pair[0], pair[1], say); });
    var reset = element("button", { type: "button", "class": "small" }, "All points again");
    reset.addEventListener("click", function () {
      var asked = {};
      axesOf(plot).forEach(function (pair) { asked[pair[0] + ".autorange"] = true; });
      say("");
      Plotly.relayout(plot, asked).then(function () { lines.forEach(function (one) { one.refresh(); }); });
    });
    panel.replaceChildren.apply(panel, lines.map(function (one) { return one.made; }).concat([note]));
    if (lines.length) panel.insertBefore(reset, note);
    else say("This figure has no axes to adjust at present.");
    // Dragging in the figure, and choices that draw it anew, change the fields, too.
    panel.refresh = function () { if (!panel.hidden) lines.forEach(function (one) { one.refresh(); }); };
    if (!plot.hearsAxes) plot.on("plotly_afterplot", function () { panel.refresh(); });
    plot.hearsAxes = true;
    panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("button[data-axes]");
    if (!button) return;
    var panel = document.getElementById(button.dataset.axes + "-axes"), plot = plotOf(button.dataset.axes);
    if (!panel || !plot || !plot._fullLayout) return;
    if (panel.hidden) return open(button, panel, plot);
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
  });
})();
