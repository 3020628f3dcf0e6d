import { useState } from "react";
import { Tabs } from "../../ui/basics";
import { Checks } from "./Checks";
import { Correlations } from "./Correlations";
import { Events } from "./Events";
import { Logs } from "./Logs";
import { Metrics } from "./Metrics";
import { Settings } from "./Settings";

export default function System() {
  const [tab, setTab] = useState("metrics");
  return (
    <div className="page">
      <h1>System</h1>
      <Tabs
        label="System"
        value={tab}
        onChange={setTab}
        tabs={[
          { id: "metrics", title: "Metrics", content: () => <Metrics /> },
          { id: "logs", title: "Logs", content: () => <Logs /> },
          { id: "events", title: "Events", content: () => <Events /> },
          { id: "correlations", title: "Correlations", content: () => <Correlations /> },
          { id: "settings", title: "Settings", content: () => <Settings /> },
          { id: "check", title: "Check", content: () => <Checks /> },
        ]}
      />
    </div>
  );
}
