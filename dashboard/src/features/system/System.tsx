import { useHashState } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Tabs } from "../../ui/basics";
import { Checks } from "./Checks";
import { Events } from "./Events";
import { HardwareErrors } from "./HardwareErrors";
import { Logs } from "./Logs";
import { Metrics } from "./Metrics";
import { Settings } from "./Settings";

const TABS = [
  ["metrics", Metrics],
  ["logs", Logs],
  ["events", Events],
  ["hardware", HardwareErrors],
  ["settings", Settings],
  ["check", Checks],
] as const;

export default function System() {
  const [wanted, setTab] = useHashState("tab");
  const tab = TABS.find(([id]) => id === wanted)?.[0] ?? "metrics";
  const { title, tabs } = words.system;
  return (
    <div className="page">
      <h1>{title}</h1>
      <Tabs
        label={tabs.label}
        value={tab}
        onChange={setTab}
        tabs={TABS.map(([id, Content]) => ({
          id,
          title: tabs[id],
          content: () => <Content />,
        }))}
      />
    </div>
  );
}
