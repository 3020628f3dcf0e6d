import type { ReactNode } from "react";
import { useChannel } from "../../api/live";
import { useHashState } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Badge, Tabs } from "../../ui/basics";
import { Activity } from "./activity/Activity";
import { EngineSheet } from "./EngineSheet";
import { Fleet } from "./Fleet";
import { FleetState } from "./FleetState";
import { Reprovisioning } from "./Reprovisioning";
import { Streams } from "./Streams";
import { useUsage } from "./usage";
import { VariantEditor } from "./Variant";
import { Vpn } from "./Vpn";

const TABS = ["fleet", "activity", "streams", "vpn", "variant"] as const;

export default function Engines() {
  const { title, tabs, status } = words.engines;
  const [chosen, choose] = useHashState("tab");
  const [about, setAbout] = useHashState("about");
  const state = useChannel("orchestrator");
  const reprovision = useChannel("reprovision");
  const usage = useUsage();
  const tab = TABS.find((id) => id === chosen) ?? "fleet";
  // A step to come back from: on a phone the way back closes what lies over the page.
  const open = (id: string) => setAbout(id, { push: true });
  const contents: Record<(typeof TABS)[number], () => ReactNode> = {
    fleet: () => <Fleet usage={usage} onOpen={open} />,
    activity: () => <Activity onOpen={open} />,
    streams: () => <Streams onOpen={open} />,
    vpn: () => <Vpn />,
    variant: () => <VariantEditor />,
  };
  return (
    <div className="page">
      <div className="page-head">
        <h1>{title}</h1>
        {state && (
          <Badge tone={state.status === "healthy" ? "good" : "warn"}>{status[state.status]}</Badge>
        )}
      </div>
      <FleetState state={state} />
      {reprovision?.in_progress && <Reprovisioning status={reprovision} />}
      <Tabs
        label={title}
        manual // a tab that gets the focus back after a question would ask it again
        value={tab}
        onChange={(id) => choose(id === "fleet" ? null : id)}
        tabs={TABS.map((id) => ({ id, title: tabs[id], content: contents[id] }))}
      />
      {about !== null && (
        <EngineSheet id={about} usage={usage[about]} onClose={() => setAbout(null)} />
      )}
    </div>
  );
}
