
"use strict";
(function () {
  const sky = JSON.parse(document.getElementById("sky").textContent);
  const [state, view, choice, select, found, clicked, charts] =
    ["state", "view", "choice", "target", "found", "clicked", "charts"].map((id) => document.getElementById(id));
  if (sky.targets.length === 0) return;

  function say(text) {
    state.textContent = text;
    state.hidden = text === "";
  }

  function fail(why) {
    view.hidden = true;
    charts.open = true;
    say("Static chart" + (sky.targets.length > 1 ? "s" : "") + ". Aladin Lite is not shown: " + why + ".");
  }

  // Names come from services: they are set as text, never as HTML.
  function tell(source) {
    const { name, type, magnitude, separation } = source.data;
    const arcsec = separation * 3600;
    const apart = arcsec < 60 ? arcsec.toFixed(2) + "″" : arcsec < 3600 ? (arcsec / 60).toFixed(3) + "′" : separation.toFixed(4) + "°";
    const rows = [["Source", name], ["Type", type], ["Magnitude", magnitude], ["From the centre", apart],
      ["RA, Dec (ICRS)", source.ra + "°, " + source.dec + "°"]];
    clicked.replaceChildren(...rows.filter(([, value]) => value !== null).map(([head, value]) => {
      const row = document.createElement("tr");
      const cells = [document.createElement("th"), document.createElement("td")];
      cells[0].textContent = head;
      cells[1].textContent = value;
      row.append(...cells);
      return row;
    }));
  }

  async function show(A) {
    await A.init;
    // It measures its element, which has to be there.
    view.hidden = false;
    const first = sky.targets[0];
    const aladin = A.aladin("#aladin", { target: first.ra + " " + first.dec, fov: first.fov, projection: "TAN",
      cooFrame: "ICRS", survey: sky.survey, log: false });
    const circles = A.graphicOverlay({ name: "cones", color: "#ff7b72", lineWidth: 2 });
    aladin.addOverlay(circles);
    for (const target of sky.targets) {
      circles.add(A.circle(target.ra, target.dec, target.radius));
      const catalogue = A.catalog({ name: target.title, shape: "square", sourceSize: 12, color: "#4cd3a0", onClick: tell });
      aladin.addCatalog(catalogue);
      catalogue.addSources(target.sources.map(([name, ra, dec, type, magnitude, separation]) =>
        A.source(ra, dec, { name, type, magnitude, separation })));
      select.add(new Option(target.title));
    }
    function go() {
      const target = sky.targets[select.selectedIndex];
      const number = target.sources.length;
      aladin.gotoRaDec(target.ra, target.dec);
      aladin.setFoV(target.fov);
      found.textContent = (number < target.found ? "The " + number + " brightest of " : "") + target.found +
        (target.found === 1 ? " source" : " sources") + " within " + target.radius + "° of " + target.title + ". Click a source to see its details.";
      clicked.replaceChildren();
    }
    select.onchange = go;
    choice.hidden = sky.targets.length < 2;
    select.selectedIndex = 0;
    go();
    charts.open = false;
    say("");
  }

  const unable = (why) => fail("it cannot start (" + (why && why.message || why) + ")");
  const script = document.createElement("script");
  script.onload = () => {
    if (typeof A !== "undefined" && A.aladin) return show(A).catch(unable);
    // A module, which a classic script cannot be.
    import(script.src).then(
      (module) => show(module.default).catch(unable),
      () => fail("it cannot be loaded (" + sky.shown + ")" + (script.src.startsWith("file:") ?
        "; if it is a module, as npm has it, load it over http, or take the script from CDS" : "")));
  };
  script.onerror = () => fail("it cannot be loaded (" + sky.shown + ")");
  script.src = sky.library;
  say("Loading Aladin Lite from " + sky.shown + " ...");
  document.head.append(script);
})();
