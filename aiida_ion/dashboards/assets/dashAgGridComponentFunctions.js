// Cells of tables that are more than text. React escapes what stands in them.
var dagcomponentfuncs = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

// A link to another page: the address stands in another column of the same row.
dagcomponentfuncs.PageLink = function (props) {
  var href = props.data && props.data[props.href];
  var text = props.valueFormatted == null ? props.value : props.valueFormatted;
  if (typeof href !== "string" || href.charAt(0) !== "/" || href.charAt(1) === "/") return text;
  return React.createElement("a", { href: href, "data-page": "1" }, text);
};

// A number with a bar behind it: its share of the axis, 0 to 1, stands in another column; without one there is no bar.
dagcomponentfuncs.BarCell = function (props) {
  var share = props.data && props.data[props.share];
  var text = props.valueFormatted == null ? props.value : props.valueFormatted;
  var bar = typeof share === "number"
    ? React.createElement("span", { className: "cell-bar", style: { width: Math.round(100 * share) + "%" }, "aria-hidden": true })
    : null;
  return React.createElement("span", { className: "bar-cell" }, bar, React.createElement("span", { className: "bar-text" }, text));
};

// Functions that formats of columns may call.
var dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

// A formula with subscripts; digits that belong to no element, and decimals, stay.
dagfuncs.subscripts = function (formula) {
  if (typeof formula !== "string") return formula == null ? "-" : formula;
  return formula.replace(/([A-Za-z)\]])(\d+)(?![\d.])/g, function (all, before, digits) {
    return before + digits.replace(/\d/g, function (digit) { return String.fromCharCode(0x2080 + Number(digit)); });
  });
};
