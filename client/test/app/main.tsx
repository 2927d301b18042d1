// A page for the tests, as an application would write it.

import { StrictMode, Suspense, lazy, memo, startTransition, useLayoutEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { connect, EditError, type Model } from "transports-client";
import { useClient, useConnection, useModel, useSynced } from "transports-client/react";

interface Device {
  name: string;
  on: boolean;
  brightness: number;
  tags: readonly string[];
  meta: Readonly<Record<string, number>>;
  children: readonly { id: number; label: string }[];
}

const URL = "/ws";
const renders: Record<string, number> = {};
const torn: string[] = [];
Object.assign(window, { renders, torn, connect });

function count(name: string) {
  useLayoutEffect(() => {
    renders[name] = (renders[name] ?? 0) + 1;
  });
}

const nameOf = (device: Device) => device.name;

function Name() {
  count("name");
  const name = useSynced(URL, "Device", nameOf);
  return <h1 id="name">{name}</h1>;
}

function Labels() {
  count("labels");
  // A new list each time, the same as long as its parts are.
  const labels = useSynced<Device, string[]>(
    URL,
    "Device",
    (device) => device.children.map(({ label }) => label),
    (before, now) => before.join() === now.join(),
  );
  return <p id="labels">{labels?.join(", ")}</p>;
}

function Whole() {
  count("whole");
  const device = useSynced<Device>(URL, 1);
  return <p id="whole">{device === undefined ? "nothing yet" : `${device.name} ${device.brightness}`}</p>;
}

function Problem({ model }: { model: Model<Device> }) {
  const [problem, setProblem] = useState("");
  const edit = async (brightness: number) => {
    try {
      setProblem(`revision ${await model.edit(["brightness"], brightness)}`);
    } catch (error) {
      if (error instanceof EditError) setProblem(`${error.kind} ${error.path.join(".")}: ${error.reason}`);
    }
  };
  return (
    <p>
      <button id="right" onClick={() => void edit(60)} />
      <button id="wrong" onClick={() => void edit(1000)} />
      <output id="problem">{problem}</output>
    </p>
  );
}

const SLOW = 20;

const Slow = memo(function Slow({ round }: { round: number }) {
  const brightness = useSynced(URL, "Device", (device: Device) => device.brightness);
  const until = performance.now() + 3;
  while (performance.now() < until);
  return (
    <i className="slow" data-round={round}>
      {brightness}
    </i>
  );
});

function Torn() {
  const [round, setRound] = useState(0);
  // With each commit of any of them all show the same.
  useLayoutEffect(() => {
    const observer = new MutationObserver(() => {
      const texts = new Set([...document.querySelectorAll(".slow")].map((element) => element.textContent));
      if (texts.size > 1) torn.push([...texts].join());
    });
    observer.observe(document.body, { subtree: true, characterData: true, childList: true });
    return () => observer.disconnect();
  }, []);
  return (
    <div>
      <button id="again" onClick={() => startTransition(() => setRound((round) => round + 1))} />
      <output id="round">{round}</output>
      {Array.from({ length: SLOW }, (_, key) => (
        <Slow key={key} round={round} />
      ))}
    </div>
  );
}

const Later = lazy(async () => ({ default: () => <Name /> }));

function App() {
  const state = useConnection(URL);
  const client = useClient(URL);
  const model = useModel<Device>(URL, "Device");
  const [isShown, show] = useState(true);
  Object.assign(window, { client, model });
  return (
    <>
      <output id="state">{state}</output>
      <button id="toggle" onClick={() => show(!isShown)} />
      {isShown && (
        <Suspense>
          <Later />
          <Labels />
          <Whole />
          <Problem model={model} />
          {location.hash === "#slow" && <Torn />}
        </Suspense>
      )}
    </>
  );
}

const root = createRoot(document.getElementById("root")!);
root.render(
  <StrictMode>
    <App />
  </StrictMode>,
);
Object.assign(window, { leave: () => root.unmount() });
