"""A Rust server's models in a notebook of any other kernel: a widget whose page connects to it by WebSocket.

    from remote import remote
    remote("ws://127.0.0.1:8020/ws", token="secret")       # the server is on the browser's machine
    remote("proxy/8020/ws", token="secret")                # it is on the notebook's: through jupyter-server-proxy

`src/bin/remote.rs` is such a server. The token goes in the URL's query, as a browser's WebSocket has no headers.
"""

import urllib.parse

import anywidget
import traitlets


class Remote(anywidget.AnyWidget):
    """Shows all models of a server. The browser client comes from the server itself."""

    _esm = """
    async function render({ model, el }) {
      // A relative address is below the notebook server's own, wherever that is mounted.
      const base = new URL(document.querySelector("#jupyter-config-data")
        ? JSON.parse(document.querySelector("#jupyter-config-data").textContent).baseUrl : "/", location.href);
      const url = new URL(model.get("url"), base);
      url.protocol = url.protocol.replace("http", "ws");
      const { connect } = await import(new URL(model.get("client"), url.href.replace(/^ws/, "http")).href);
      const client = connect(url);
      const view = document.createElement("pre");
      el.append(view);
      el.transports = { client };
      client.on("change", () => {
        const shown = client.models.map(({ type, id, rev, value }) => `${type} ${id}, revision ${rev}\\n` + JSON.stringify(value, null, 2));
        view.textContent = shown.join("\\n");
      });
      client.on("state", (state) => (view.dataset.state = state));
      return () => client.stop();
    }
    export default { render };
    """

    url = traitlets.Unicode().tag(sync=True)
    client = traitlets.Unicode().tag(sync=True)


def remote(url: str, token: str | None = None, client: str = "client.js") -> Remote:
    """`client`: where the server has the browser client, relative to `url`."""
    if token is not None:
        url += ("&" if "?" in url else "?") + urllib.parse.urlencode({"token": token})
    return Remote(url=url, client=client)
