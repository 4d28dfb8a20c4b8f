// Cells of tables that are more than text. React escapes what stands in them.
var dagcomponentfuncs = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

// A link to another page: the address stands in another column of the same row.
dagcomponentfuncs.PageLink = function (props) {
  var href = props.data && props.data[props.href];
  var text = props.valueFormatted == null ? props.value : props.valueFormatted;
  if (typeof href !== "string" || href.charAt(0) !== "/" || href.charAt(1) === "/") return text;
  return React.createElement("a", { href: href, "data-page": "1" }, text);
};
