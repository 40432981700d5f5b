/* Keeps #vastai-live as it is on the server, and asks before it destroys. The page is complete without it. */
(function () {
  "use strict";

  const PAUSE = 5000;

  function start() {
    const area = document.getElementById("vastai-live");
    if (area) {
      keep(area, document.getElementById("vastai-stale"));
    }
    document.addEventListener("click", ask);
  }

  function keep(area, stale) {
    if (!window.AbortSignal || !AbortSignal.timeout) {
      return; // an answer that never comes could not be given up: the page stays as it was loaded
    }
    const source = area.dataset.source + window.location.search;
    let shown = "";
    let busy = false;

    function look() {
      // Nobody sees a hidden tab, and what somebody is asked about must not change under his hands.
      if (busy || document.hidden || document.querySelector("dialog[open]")) {
        return;
      }
      busy = true;
      fetch(source, { cache: "no-store", signal: AbortSignal.timeout(10000) })
        .then((answer) => {
          if (!answer.ok || answer.redirected) {
            throw new Error(String(answer.status));
          }
          return answer.text();
        })
        .then((text) => {
          if (text !== shown) {
            shown = text;
            replace(area, text);
          }
          stale.hidden = true;
        })
        .catch(() => {
          stale.hidden = false;
        })
        .then(() => {
          busy = false;
        });
    }

    window.setInterval(look, PAUSE);
    document.addEventListener("visibilitychange", look);
  }

  /** Finds the same element again after the page was replaced. */
  function selector(element) {
    for (const attribute of ["id", "href", "aria-label"]) {
      const value = element.getAttribute(attribute);
      if (value) {
        return element.tagName + "[" + attribute + '="' + CSS.escape(value) + '"]';
      }
    }
    return "";
  }

  /** Escaped by the server as the page itself was. Keeps what is open, what has the focus and what is scrolled. */
  function replace(area, text) {
    const open = Array.from(area.querySelectorAll("details[open][id]"), (one) => one.id);
    const focus = area.contains(document.activeElement) ? selector(document.activeElement) : "";
    const scrolled = Array.from(area.querySelectorAll(".vastai-scroll"), (one) => [
      one.getAttribute("aria-label"),
      one.scrollLeft,
    ]);
    area.innerHTML = text;
    open.forEach((id) => {
      const one = document.getElementById(id);
      if (one) {
        one.open = true;
      }
    });
    const where = new Map(scrolled);
    area.querySelectorAll(".vastai-scroll").forEach((one) => {
      one.scrollLeft = where.get(one.getAttribute("aria-label")) || 0;
    });
    Behaviour.applySubtree(area, true);
    if (focus) {
      const one = area.querySelector(focus);
      if (one) {
        one.focus({ preventScroll: true });
      }
    }
  }

  /** Once confirmed, the same button is pressed again. */
  function ask(event) {
    const button = event.target.closest("button[data-confirm]");
    if (!button || button.dataset.confirmed) {
      return;
    }
    event.preventDefault();
    window.dialog
      .confirm(button.dataset.confirmTitle, { message: button.dataset.confirm, type: "destructive" })
      .then(
        () => {
          button.dataset.confirmed = "true";
          button.click();
        },
        () => {},
      );
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
