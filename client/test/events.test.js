// Server-Sent Events, and edits by POST: against a server that does what it is told.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { connect } from "../dist/index.js";
import { Queue, WebSocket, copy, event, int, list, map, patch, serverForEach, set, snapshot, str, until } from "./support.js";

let fake, client, problems, streams, posts;

/** Takes streams and POSTs; neither is answered by itself. */
function listen() {
  streams = new Queue();
  posts = new Queue();
  fake.http.on("request", async (request, response) => {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      const send = (...messages) => messages.forEach((message) => response.write(`data: ${JSON.stringify(message)}\n\n`));
      const words = (data) => response.write(`retry: 2000\nevent: transports\ndata: ${JSON.stringify({ t: "transports", ...data })}\n\n`);
      return streams.push({ request, response, send, words, query: new URL(request.url, "http://h").searchParams });
    }
    let text = "";
    for await (const bytes of request) text += bytes;
    const { "transports-uplink": token, "transports-post": number } = request.headers;
    posts.push({ request, response, token, number, body: JSON.parse(text), taken: () => response.writeHead(204).end() });
  });
}

async function start(value, options = {}) {
  listen();
  client = connect(fake.url, { transport: "sse", ...options });
  problems = [];
  client.on("problem", ({ message }) => problems.push(message));
  const stream = await streams.next();
  stream.words({ uplink: "7-aa" });
  stream.send(snapshot(value, 5));
  const model = client.model(1);
  await model.ready();
  return { stream, model };
}

/** An edit whose answer the test does not wait for. */
const unanswered = (edit) => void edit.catch(() => {});

serverForEach(
  (server) => (fake = server),
  () => client?.stop(),
);

describe("Server-Sent Events", () => {
  test("bring models; edits are refused where there is no token", async () => {
    fake.http.on("request", (request, response) => {
      requests.push({ request, response });
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
    });
    const requests = new Queue();
    client = connect(fake.url, { transport: "sse", headers: { authorization: "Bearer x" } });
    const model = client.model("T");
    const { request, response } = await requests.next();
    assert.deepEqual([request.headers.authorization, request.headers.accept], ["Bearer x", "text/event-stream"]);
    const text = JSON.stringify(snapshot(map({ a: str("x\r\u2028") })));
    response.write(": ping\r\n\r\nid: 5\r\ndata:");
    response.write(text.slice(0, 20));
    // Each as a chunk of its own, cut in the ends of lines.
    for (const part of [`${text.slice(20)}\r`, "\n\r", "\n"]) {
      await new Promise((resolve) => response.write(part, resolve));
      await new Promise(setImmediate);
    }
    assert.equal((await model.ready()).a, "x\r\u2028");
    response.write(`data: {"t":"patch",\ndata: "id":1,"patch":{"rev":1,"ops":[]}}\n\ndata: ${JSON.stringify(patch(2, [set(["a"], int(1))]))}\n\n`);
    await until(model, ({ a }) => a === 1);
    await assert.rejects(model.edit(["a"], 2), { kind: "dropped", reason: "the server takes no edits here" });
    assert.equal(model.value.a, 1);
    response.end();
    const next = await requests.next();
    assert.equal(new URL(next.request.url, "http://h").searchParams.get("since"), '{"1":2}');
  });

  test("say why they fail", async () => {
    fake.http.on("request", (_, response) => response.writeHead(400).end("there is no such thing"));
    client = connect(fake.url, { transport: "sse" });
    assert.equal((await event(client, "problem")).message, "400 there is no such thing");
  });

  test("stand in when no WebSocket comes through; edits wait for one", async () => {
    const refused = new Queue();
    const requests = new Queue();
    fake.http.removeAllListeners("upgrade");
    fake.http.on("upgrade", (_, socket) => (socket.destroy(), refused.push(1)));
    fake.http.on("request", (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(snapshot(map({ a: int(1) })))}\n\n`);
      requests.push(response);
    });
    client = connect(fake.url, { WebSocket, fallback: `http://127.0.0.1:${fake.port}/sse` });
    client.on("problem", () => {});
    const model = client.model(1);
    await model.ready();
    assert.equal(refused.length, 2);
    const edit = model.edit(["a"], 2);
    client.stop();
    await assert.rejects(edit, { kind: "dropped", reason: "stopped" });
    (await requests.next()).end();
  });
});

describe("edits by POST", () => {
  test("go one after the other, and together what comes meanwhile", async () => {
    const { stream, model } = await start(map({ l: list() }), { headers: { authorization: "Bearer x" } });
    const edits = [model.push(["l"], 0), model.push(["l"], 1)];
    const first = await posts.next();
    assert.equal(first.request.headers.authorization, "Bearer x");
    assert.equal(new URL(first.request.url, "http://h").pathname, "/ws");
    assert.deepEqual([first.token, first.number, first.body.t, first.body.msgs.length], ["7-aa", "1", "batch", 2]);
    edits.push(model.push(["l"], 2), model.push(["l"], 3));
    stream.send(...first.body.msgs.map(({ patch: { ops }, proposal }, index) => patch(6 + index, ops, { proposal })));
    assert.deepEqual(await Promise.all(edits.slice(0, 2)), [6, 7]);
    assert.equal(posts.length, 0, "not before the first is answered");
    edits.push(model.push(["l"], 4));
    first.taken();
    const second = await posts.next();
    assert.deepEqual([second.number, second.body.msgs.map(({ patch: { ops } }) => ops[0].Insert.value.Int)], ["2", [2, 3, 4]]);
    second.taken();
    stream.send(...second.body.msgs.map(({ patch: { ops }, proposal }, index) => patch(8 + index, ops, { proposal })));
    assert.deepEqual(await Promise.all(edits), [6, 7, 8, 9, 10]);
    const last = model.edit(["l", 0], 9);
    const third = await posts.next();
    assert.deepEqual([third.number, third.body.t], ["3", "patch"]);
    third.taken();
    stream.send(snapshot(map({ l: list() }), 10), { t: "reject", id: 1, rev: 10, error: "l: no", proposal: third.body.proposal });
    await assert.rejects(last, { kind: "refused", reason: "l: no" });
    assert.deepEqual([copy(model.value), problems], [{ l: [] }, []]);
  });

  test("that are long do not go together", async () => {
    const { model } = await start(map({ l: list() }));
    for (const length of [40_000, 40_000, 100_000, 1, 1]) unanswered(model.push(["l"], "x".repeat(length)));
    const counts = [];
    for (let index = 0; index < 4; index += 1) {
      const { body, taken } = await posts.next();
      counts.push(body.msgs?.length ?? 1);
      taken();
    }
    assert.deepEqual(counts, [1, 1, 1, 2]);
  });

  for (const made of [true, false]) {
    test(`whose answer is lost are in doubt and never sent again; the server had ${made ? "" : "not "}made it`, async () => {
      const { model } = await start(map({ l: list() }));
      const edit = model.push(["l"], 1);
      const post = await posts.next();
      post.request.socket.destroy();
      await assert.rejects(edit, { kind: "unknown", path: ["l"] });
      assert.deepEqual(copy(model.value.l), [1], "on show until the server tells");
      const next = await streams.next();
      assert.equal(next.query.get("since"), '{"1":5}');
      next.words({ uplink: "8-bb" });
      const question = await posts.next();
      assert.deepEqual([question.token, question.number, question.body.patch.ops], ["8-bb", "1", []]);
      question.taken();
      if (made) next.send(patch(6, post.body.patch.ops));
      next.send({ t: "ack", id: 1, rev: made ? 6 : 5, proposal: question.body.proposal });
      await event(client, "change");
      assert.deepEqual(copy(model.value.l), made ? [1] : []);
      const last = model.edit(["x"], 1);
      const { body, taken } = await posts.next();
      assert.deepEqual(body.patch.ops, [set(["x"], int(1))]);
      taken();
      client.stop();
      await assert.rejects(last, { kind: "unknown" });
    });
  }

  test("that are not taken end the connection, with the reason", async () => {
    const { model } = await start(map({ a: int(1) }));
    const edit = model.edit(["a"], 2);
    const { response } = await posts.next();
    response.writeHead(413).end("a frame is over the limit of 9 bytes");
    await assert.rejects(edit, { kind: "unknown" });
    assert.deepEqual(problems, ["413 a frame is over the limit of 9 bytes"]);
  });

  test("wait for the connection, and for the token", async () => {
    const { stream, model } = await start(map({ a: int(1), b: int(1) }));
    stream.response.destroy();
    await event(client, "state", (state) => state === "waiting");
    const edits = [model.edit(["a"], 2)];
    const next = await streams.next();
    await event(client, "state", (state) => state === "open");
    edits.push(model.edit(["b"], 2));
    next.words({ uplink: "8-bb" });
    const question = await posts.next();
    question.taken();
    next.send({ t: "ack", id: 1, rev: 5, proposal: question.body.proposal });
    const { body, taken } = await posts.next();
    taken();
    next.send(...body.msgs.map(({ patch: { ops }, proposal }, index) => patch(6 + index, ops, { proposal })));
    assert.deepEqual(await Promise.all(edits), [6, 7]);
  });

  test("are dropped by a server that takes none any more", async () => {
    const { stream, model } = await start(map({ a: int(1) }));
    stream.response.destroy();
    await event(client, "state", (state) => state === "waiting");
    const edit = model.edit(["a"], 2);
    (await streams.next()).words({});
    await assert.rejects(edit, { kind: "dropped", reason: "the server takes no edits here" });
    assert.equal(model.value.a, 1);
  });

  test("go to where no WebSocket came through", async () => {
    fake.http.removeAllListeners("upgrade");
    fake.http.on("upgrade", (_, socket) => socket.destroy());
    const { stream, model } = await start(map({ a: int(1) }), { transport: "websocket", WebSocket, fallback: fake.url });
    const edit = model.edit(["a"], 2);
    const { body, taken } = await posts.next();
    taken();
    stream.send(patch(6, body.patch.ops, { proposal: body.proposal }));
    assert.equal(await edit, 6);
  });
});

describe("words of the server", () => {
  test("say why it ends; events of other names are the application's", async () => {
    const { stream, model } = await start(map({ a: int(1) }));
    stream.response.write('event: news\ndata: [1]\n\nevent: message\n');
    stream.send(patch(6, [set(["a"], int(2))]));
    await until(model, ({ a }) => a === 2);
    stream.words({ code: 1012, reason: "shutting down" });
    stream.response.end();
    assert.equal((await event(client, "problem")).message, "shutting down");
    assert.deepEqual(problems, ["shutting down"]);
  });
});
