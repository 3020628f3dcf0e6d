import { useState } from "react";
import { useChannel } from "../../api/live";
import { Badge, Tabs } from "../../ui/basics";
import { Fleet } from "./Fleet";
import { FleetState } from "./FleetState";
import { Reprovisioning } from "./Reprovisioning";
import { Streams } from "./Streams";
import { VariantEditor } from "./Variant";
import { Vpn } from "./Vpn";

export default function Engines() {
  const [tab, setTab] = useState("fleet");
  const state = useChannel("orchestrator");
  const reprovision = useChannel("reprovision");
  return (
    <div className="page">
      <div className="page-head">
        <h1>Engines</h1>
        {state && <Badge tone={state.status === "healthy" ? "good" : "warn"}>{state.status}</Badge>}
      </div>
      <FleetState state={state} />
      {reprovision?.in_progress && <Reprovisioning status={reprovision} />}
      <Tabs
        label="Engines"
        value={tab}
        onChange={setTab}
        tabs={[
          { id: "fleet", title: "Fleet", content: () => <Fleet /> },
          { id: "streams", title: "Streams", content: () => <Streams /> },
          { id: "vpn", title: "VPN", content: () => <Vpn /> },
          { id: "variant", title: "Variant", content: () => <VariantEditor /> },
        ]}
      />
    </div>
  );
}
