// Jenkins shows a field's title beside it without tying the two together: whoever hears the page would not hear the title.
(function () {
  function titleOf(item, control) {
    const beside = control.nextElementSibling; // as checkboxes have it
    if (beside && beside.tagName === "LABEL") {
      return beside.textContent.trim();
    }
    const above = item.querySelector(".jenkins-form-label");
    return above && above.parentElement === item
      ? above.firstChild.textContent.trim() // not the help button, which follows
      : "";
  }

  Behaviour.specify(".jenkins-form-item", "vastai-labels", 0, (item) => {
    item
      .querySelectorAll("input:not([type=hidden]), select, textarea")
      .forEach((control) => {
        if (control.closest(".jenkins-form-item") !== item) {
          return; // has an item of its own
        }
        const title = titleOf(item, control);
        if (title && !control.hasAttribute("aria-label")) {
          control.setAttribute("aria-label", title);
        }
        if (control.classList.contains("auto-complete")) {
          // Jenkins says of it whether its list is open, which it may only if it is said to have one.
          control.setAttribute("role", "combobox");
          control.setAttribute("aria-autocomplete", "list");
          if (!control.hasAttribute("aria-expanded")) {
            control.setAttribute("aria-expanded", "false");
          }
        }
      });
  });
})();
