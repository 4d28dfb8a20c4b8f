// Buttons with data-copy copy text; those with data-download save a figure as SVG, PNG or CSV, or a table as CSV.
(function () {
  // A spreadsheet would run these as formulas.
  function harmless(text) {
    return /^[=+\-@\t\r]/.test(text) && isNaN(Number(text)) ? "'" + text : text;
  }

  function quoted(value) {
    if (value === null || value === undefined) return "";
    var text = harmless(String(value));
    return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  function save(name, lines) {
    var url = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv;charset=utf-8" }));
    var link = document.createElement("a");
    link.href = url;
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    setTimeout(function () { URL.revokeObjectURL(url); }, 1000);
  }

  function words(markup) {
    return String(markup || "").replace(/<[^>]*>/g, "")
      .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
  }

  function title(axis, fallback) {
    return axis && axis.title && axis.title.text ? words(axis.title.text) : fallback;
  }

  function at(values, index) {
    return values && typeof values === "object" && index < values.length ? values[index] : "";
  }

  // Further columns that a figure gives each point, such as is_bound and refused.
  function columnsOf(trace) {
    return metaOf(trace).columns || {};
  }

  // What a figure says of a series; one that stands aside, such as names in the background, is not in the file.
  function metaOf(trace) {
    return (trace._input || trace).meta || {};
  }

  // The ends of an error bar; none where the value is only a bound, whose bar is an arrow.
  function ends(value, error, i, isBound) {
    var none = ["", ""];
    if (!error || !error.visible || isBound || typeof value !== "number") return none;
    var up = Number(at(error.array, i)) || 0;
    var down = error.symmetric === false ? Number(at(error.arrayminus, i)) || 0 : up;
    return up || down ? [value - down, value + up] : none;
  }

  // One line for each point of each series: the numbers behind the picture, with both intervals.
  function points(plot) {
    var layout = plot._fullLayout;
    var scene = layout.scene || {};
    var names = ["x", "y", "z"].map(function (letter) {
      return title(scene[letter + "axis"] || layout[letter + "axis"], letter);
    });
    var shown = plot._fullData.filter(function (trace) { return trace.visible === true && trace.x && !metaOf(trace).aside; });
    var given = ["is_bound", "refused"];
    shown.forEach(function (trace) {
      Object.keys(columnsOf(trace)).forEach(function (name) {
        if (given.indexOf(name) < 0 && INTERVALS.indexOf(name) < 0) given.push(name);
      });
    });
    var rows = [["series"].concat(names, INTERVALS, given, ["node"]).map(quoted).join(",")];
    shown.forEach(function (trace) {
      var columns = columnsOf(trace);
      for (var i = 0; i < trace.x.length; i += 1) {
        var node = at(trace.customdata, i);
        if (Array.isArray(node)) node = node[0];
        var x = at(trace.x, i), y = at(trace.y, i);
        var drawn = ends(x, trace.error_x, i, at(columns.x_is_bound, i) === true)
          .concat(ends(y, trace.error_y, i, at(columns.is_bound, i) === true));
        var edges = INTERVALS.map(function (name, place) { return columns[name] ? at(columns[name], i) : drawn[place]; });
        var more = given.map(function (name) { return at(columns[name], i); });
        rows.push([words(trace.name), x, y, at(trace.z, i)].concat(edges, more, [node]).map(quoted).join(","));
      }
    });
    return rows;
  }

  var INTERVALS = ["x 95 % low", "x 95 % high", "y 95 % low", "y 95 % high"];

  function plotOf(target) {
    var holder = document.getElementById(target);
    return holder && holder.querySelector(".js-plotly-plot");
  }

  function download(kind, target) {
    if (kind === "grid") {
      dash_ag_grid.getApi(target).exportDataAsCsv({
        fileName: target + ".csv",
        processCellCallback: function (cell) {
          return typeof cell.value === "string" ? harmless(cell.value) : cell.value;
        },
      });
      return;
    }
    var plot = plotOf(target);
    if (!plot) return;
    if (kind === "csv") save(target + ".csv", points(plot));
    else Plotly.downloadImage(plot, { format: kind, filename: target, scale: kind === "png" ? 2 : 1,
      width: plot.clientWidth, height: plot.clientHeight });
  }

  function copy(button) {
    navigator.clipboard.writeText(button.dataset.copy).then(function () {
      var before = button.textContent;
      button.textContent = "Copied";
      setTimeout(function () { button.textContent = before; }, 1200);
    });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("button[data-copy], button[data-download]");
    if (!button) {
      document.querySelectorAll("details.menu[open]").forEach(function (menu) {
        if (!menu.contains(event.target)) menu.removeAttribute("open");
      });
      return;
    }
    if (button.dataset.copy) copy(button);
    else download(button.dataset.download, button.dataset.target);
  });
})();
