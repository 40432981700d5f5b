// Shows what would be rented for the values in the form as they are, unsaved.
(function () {
  const MOST_TRIES = 4;
  const PAUSE_MILLIS = 3000;

  async function ask(button, form) {
    form.dispatchEvent(new Event("jenkins:apply"));
    if (!buildFormTree(form)) {
      return null;
    }
    const answer = await fetch(button.dataset.url, {
      method: "post",
      headers: crumb.wrap({
        "Content-Type": "application/x-www-form-urlencoded",
      }),
      body: new URLSearchParams({ json: form.elements.json.value }),
    });
    if (!answer.ok || answer.redirected) {
      throw new Error(answer.status);
    }
    const holder = document.createElement("div");
    holder.innerHTML = await answer.text(); // made of escaped texts by our own view
    return holder;
  }

  async function show(button) {
    const form = button.closest("form");
    const caption = button.textContent;
    button.disabled = true;
    button.textContent = button.dataset.asking;
    let content;
    try {
      for (let tries = 1; ; tries++) {
        content = await ask(button, form);
        if (
          content === null ||
          tries === MOST_TRIES ||
          !content.querySelector("[data-pending=true]")
        ) {
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
      }
    } catch {
      content = document.createElement("p");
      content.textContent = button.dataset.failed;
    } finally {
      button.disabled = false;
      button.textContent = caption;
    }
    if (content !== null) {
      dialog.modal(content, {
        title: button.dataset.title,
        minWidth: "min(60rem, 90vw)",
        maxWidth: "90vw",
      });
    }
  }

  Behaviour.specify("BUTTON.vastai-preview", "vastai-preview", 0, (button) => {
    button.onclick = () => show(button);
  });
})();
