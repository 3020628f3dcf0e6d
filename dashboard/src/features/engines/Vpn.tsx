import { useChannel } from "../../api/live";
import { ago } from "../../lib/format";
import { Badge, Card, Empty, Facts, Loading, Note } from "../../ui/basics";

export function Vpn() {
  const vpn = useChannel("vpn");
  if (!vpn) return <Loading />;
  if (!vpn.enabled) {
    return <Empty>No VPN is configured. Engines use the network of this machine.</Empty>;
  }
  const each = [vpn.vpn1, vpn.vpn2].filter((one) => one !== null);
  const shown = each.length ? each : [vpn as Record<string, unknown>];
  const emergency = vpn.emergency_mode as { active?: boolean; failed_vpn?: string };
  return (
    <div className="stack">
      {emergency.active && (
        <Note tone="bad" title={`${emergency.failed_vpn ?? "A VPN"} is lost`}>
          Its engines are replaced behind the other one, as far as there is room.
        </Note>
      )}
      <div className="columns">
        {shown.map((one) => (
          <Card
            key={String(one.container_name)}
            title={String(one.container_name ?? "VPN")}
            tools={
              <Badge tone={one.connected ? "good" : "bad"}>
                {one.connected ? "connected" : String(one.health)}
              </Badge>
            }
          >
            <Facts
              facts={[
                ["Container", String(one.status)],
                ["Health", String(one.health)],
                ["Forwarded port", String(one.forwarded_port ?? "–")],
                ["Looked at", ago(one.last_check as string | null)],
                ["Public address", String(one.public_ip ?? "–")],
                ["Location", [one.city, one.country].filter(Boolean).join(", ") || "–"],
                ["Provider", String(one.provider ?? "–")],
              ]}
            />
          </Card>
        ))}
      </div>
    </div>
  );
}
