"use strict";
(() => {
  const data = JSON.parse(document.getElementById("steps").textContent);
  const slider = document.getElementById("threshold");
  const percent = (share, digits) => (100 * share).toFixed(digits) + "\u00a0%";
  const write = (name, text) => {
    for (const out of document.querySelectorAll(`[data-out="${name}"]`)) out.textContent = text;
  };
  const saved = (share, less) => share > 1 ? percent(share - 1, 1) + " more" : percent(1 - share, 1) + " " + less;
  const written = threshold => threshold === null ? "none escalates" : String(+threshold.toPrecision(6));

  const move = (svg, step) => {
    const frame = JSON.parse(svg.dataset.frame);
    const [left, right, top, bottom] = frame.edges;
    const within = (value, [low, high]) => Math.min(1, Math.max(0, (value - low) / (high - low)));
    const x = { escalation: step.escalation, macs: Math.log10(step.macs), threshold: step.threshold ?? -Infinity }[svg.dataset.mark];
    const mark = svg.querySelector(".mark");
    const px = left + within(x, frame.x) * (right - left);
    if (svg.dataset.mark === "threshold") {
      mark.setAttribute("x1", px);
      mark.setAttribute("x2", px);
    } else {
      mark.setAttribute("cx", px);
      mark.setAttribute("cy", bottom - within(step.accuracy, frame.y) * (bottom - top));
      mark.style.display = x > frame.x[1] + 1e-9 ? "none" : "";
    }
  };

  const show = index => {
    const [threshold, escalated, right, bad, macs, cpu] = data.steps[index];
    const step = { threshold, escalation: escalated / data.rows, accuracy: right / data.rows, macs };
    write("threshold", written(threshold));
    write("accuracy", percent(step.accuracy, 2));
    write("escalation", percent(step.escalation, 2));
    write("bad", `${bad} of ${data.rows}`);
    write("macs", saved(macs, "fewer"));
    write("cpu", saved(cpu, "less"));
    slider.setAttribute("aria-valuetext",
      `threshold ${written(threshold)}: ${percent(step.accuracy, 2)} ${data.accuracy}, ` +
      `${percent(step.escalation, 2)} escalated, ${saved(macs, "fewer")} MACs`);
    for (const note of document.querySelectorAll("[data-promise]")) {
      note.hidden = note.dataset.promise !== (data.certified !== null && index >= data.certified ? "kept" : "none");
    }
    for (const svg of document.querySelectorAll("svg[data-mark]")) move(svg, step);
  };

  slider.addEventListener("input", () => show(Number(slider.value)));
  document.getElementById("reset").addEventListener("click", () => {
    slider.value = data.current;
    show(data.current);
  });
  for (const part of document.querySelectorAll("[data-needs-script]")) part.hidden = false;
  for (const part of document.querySelectorAll("[data-without-script]")) part.hidden = true;
  slider.value = data.current;
  show(data.current);
})();
