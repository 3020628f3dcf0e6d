import type { Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { ago, duration } from "../../lib/format";
import { words } from "../../messages";
import { Badge, Card, Facts, Loading, Note } from "../../ui/basics";
import { EmptyState } from "../../ui/EmptyState";

/** The VPNs behind which engines run: whether they are connected, and where they come out. */
export function Vpn() {
  const status = useChannel("vpn");
  const texts = words.engines.vpn;
  if (!status) return <Loading />;
  if (!status.enabled) return <EmptyState title={texts.none}>{texts.noneBody}</EmptyState>;
  const each = [status.vpn1, status.vpn2].filter((one) => one !== null);
  const shown = each.length ? each : [status as Record<string, unknown>];
  return (
    <div className="stack">
      <Lost status={status} />
      <div className="columns">
        {shown.map((one) => (
          <VpnCard key={String(one.container_name)} vpn={one} />
        ))}
      </div>
    </div>
  );
}

/** Which VPN is lost, since when, and what becomes of its engines. */
function Lost({ status }: { status: Schema["VpnStatus"] }) {
  const texts = words.engines.vpn;
  const emergency = status.emergency_mode as {
    active?: boolean;
    failed_vpn?: string | null;
    duration_seconds?: number;
  };
  if (emergency.active) {
    const name = emergency.failed_vpn ?? texts.someVpn;
    const lasted = emergency.duration_seconds;
    const title = lasted ? texts.lostFor(name, duration(lasted)) : texts.lost(name);
    return (
      <Note tone="bad" title={title}>
        {texts.lostBody}
      </Note>
    );
  }
  if (status.connected || status.health === "starting" || !status.last_check) return null;
  return (
    <Note tone="bad" title={texts.lost(status.container_name ?? texts.someVpn)}>
      {texts.lostAlone}
    </Note>
  );
}

function VpnCard({ vpn }: { vpn: Record<string, unknown> }) {
  const texts = words.engines.vpn;
  const { unknown } = words.format;
  const health = known(texts.healths, vpn.health);
  const place = [vpn.city, vpn.country].filter(Boolean).join(", ");
  return (
    <Card
      title={String(vpn.container_name ?? "VPN")}
      tools={
        <Badge tone={vpn.connected ? "good" : "bad"}>
          {vpn.connected ? texts.connected : health}
        </Badge>
      }
    >
      <Facts
        facts={[
          [texts.state, known(texts.states, vpn.status)],
          [texts.health, health],
          [texts.port, String(vpn.forwarded_port ?? unknown)],
          [texts.checked, ago(vpn.last_check as string | null)],
          [texts.address, String(vpn.public_ip ?? unknown)],
          [texts.location, place || unknown],
          [texts.provider, String(vpn.provider ?? unknown)],
        ]}
      />
    </Card>
  );
}

/** A word of the server in ours; one that is not known stays as it is. */
function known(texts: Record<string, string>, word: unknown): string {
  const name = String(word);
  return Object.hasOwn(texts, name) ? (texts[name] ?? name) : name;
}
