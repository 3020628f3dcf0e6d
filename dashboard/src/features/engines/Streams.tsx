import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { ago, shortId, speed } from "../../lib/format";
import { streamPath } from "../../lib/hashLocation";
import { Button, Empty, Loading, TableWrap } from "../../ui/basics";
import { useAction } from "../../ui/feedback";

export function Streams() {
  const streams = useChannel("streams");
  const engines = useChannel("engines");
  const stop = useStopStream();
  if (!streams) return <Loading />;
  if (streams.length === 0) return <Empty>No stream plays at present.</Empty>;
  const nameOf = (id: string) =>
    engines === undefined
      ? "…"
      : (engines.find((engine) => engine.container_id === id)?.container_name ?? shortId(id));
  return (
    <TableWrap label="Streams">
      <table>
        <thead>
          <tr>
            <th>Stream</th>
            <th>Engine</th>
            <th>Since</th>
            <th>Peers</th>
            <th>Down</th>
            <th>Up</th>
            <th>
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => (
            <tr key={stream.id}>
              <td>
                <Link href={streamPath(stream.id)}>{stream.id}</Link>
              </td>
              <td>{nameOf(stream.container_id)}</td>
              <td>{ago(stream.started_at)}</td>
              <td className="number">{stream.peers ?? "–"}</td>
              <td className="number">{speed(stream.speed_down)}</td>
              <td className="number">{speed(stream.speed_up)}</td>
              <td>
                <Button size="small" onClick={() => stop.mutate(stream.id)}>
                  Stop
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableWrap>
  );
}

export function useStopStream() {
  const queries = useQueryClient();
  return useAction(
    (id: string) =>
      ask(api.DELETE("/streams/{stream_id}", { params: { path: { stream_id: id } } })),
    {
      asks: (id: string) => ({
        title: `Stop stream ${id}?`,
        body: "Its engine is told to stop it; whoever watches it sees it end.",
        action: "Stop",
        danger: true,
      }),
      done: () => "The stream was stopped",
      after: () => void queries.invalidateQueries({ queryKey: ["stream"] }),
    },
  );
}
