import { useState } from "react";
import { useChannel } from "../api/live";
import { Badge, Tabs } from "../ui/basics";
import { Fleet } from "./engines/Fleet";
import { FleetState } from "./engines/FleetState";
import { Reprovisioning } from "./engines/Reprovisioning";
import { Streams } from "./engines/Streams";
import { Vpn } from "./engines/Vpn";
import { VariantEditor } from "./Variant";

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
