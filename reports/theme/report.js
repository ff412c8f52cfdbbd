(function () {
  "use strict";
  function sortBy(table, column, header) {
    var rising = header.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("thead th").forEach(function (th) { th.removeAttribute("aria-sort"); });
    header.setAttribute("aria-sort", rising ? "ascending" : "descending");
    var body = table.tBodies[0];
    var rows = Array.from(body.rows).map(function (row, place) {
      var text = row.cells[column] ? row.cells[column].textContent.trim() : "";
      var figure = text.replace(/,/g, "");
      return { row: row, place: place, text: text, figure: /^-?\d+(\.\d+)?$/.test(figure) ? Number(figure) : null };
    });
    rows.sort(function (a, b) {
      var order = a.figure !== null && b.figure !== null ? a.figure - b.figure : a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
      return (rising ? order : -order) || a.place - b.place;
    });
    rows.forEach(function (entry) { body.appendChild(entry.row); });
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    Array.from(table.tHead.rows[0].cells).forEach(function (th, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.title = "Sort by this column";
      while (th.firstChild) { button.appendChild(th.firstChild); }
      th.appendChild(button);
      button.addEventListener("click", function () { sortBy(table, column, th); });
    });
  });
  document.querySelectorAll("table.filterable").forEach(function (table) {
    var rows = Array.from(table.tBodies[0].rows);
    if (rows.length < 8) { return; }
    var label = document.createElement("label");
    var input = document.createElement("input");
    var told = document.createElement("span");
    label.className = "filter";
    input.type = "search";
    told.setAttribute("role", "status");
    label.append("Show rows that contain", input, " ", told);
    table.parentNode.before(label);
    input.addEventListener("input", function () {
      var wanted = input.value.toLowerCase(), shown = 0;
      rows.forEach(function (row) {
        row.hidden = row.textContent.toLowerCase().indexOf(wanted) < 0;
        shown += row.hidden ? 0 : 1;
      });
      told.textContent = wanted ? shown + " of " + rows.length : "";
    });
  });
  if (navigator.clipboard && window.isSecureContext) {
    document.querySelectorAll("td .id, dd .id").forEach(function (id) {
      id.classList.add("copyable");
      id.title = "Double click copies";
      id.addEventListener("dblclick", function () {
        navigator.clipboard.writeText(id.textContent).then(function () {
          id.classList.add("copied");
          setTimeout(function () { id.classList.remove("copied"); }, 800);
        }, function () {});
      });
    });
  }
  function openTarget() {
    var target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    var inner = target && target.querySelector("details");
    if (target && target.classList.contains("query") && inner) { inner.open = true; }
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { if (!d.closest(".query")) { d.open = true; } });
  });
})();
