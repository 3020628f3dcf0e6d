import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { toneOf } from "../../lib/events";
import {
  Badge,
  Button,
  Choice,
  Empty,
  ErrorNote,
  Field,
  Loading,
  TableWrap,
} from "../../ui/basics";

const PAGE = 50;

export function Events() {
  const [type, setType] = useState("");
  const [category, setCategory] = useState("");
  const [page, setPage] = useState(0);
  const newest = useChannel("events")?.[0]?.id;
  const stats = useQuery({
    queryKey: ["events", "stats", newest],
    queryFn: () => ask(api.GET("/events/stats")),
    placeholderData: (before) => before,
  });
  const list = useQuery({
    // The first page is asked for again when the socket tells of a new event.
    queryKey: ["events", type, category, page, page === 0 ? newest : null],
    placeholderData: (before) => before,
    queryFn: () =>
      ask(
        api.GET("/events", {
          params: {
            query: {
              limit: PAGE + 1,
              offset: page * PAGE,
              ...(type && { event_type: type }),
              ...(category && { category }),
            },
          },
        }),
      ),
  });
  const events = (list.data ?? []).slice(0, PAGE);
  const more = (list.data?.length ?? 0) > PAGE;
  const types = Object.keys(stats.data?.by_type ?? {});
  return (
    <div className="stack">
      <div className="fields">
        <Choice
          label="Type"
          value={type}
          onChange={(event) => {
            setType(event.target.value);
            setPage(0);
          }}
          options={[["", "All"], ...types.map((name) => [name, name] as const)]}
        />
        <Field
          label="Category"
          placeholder="such as failed"
          value={category}
          onChange={(event) => {
            setCategory(event.target.value.trim());
            setPage(0);
          }}
        />
      </div>
      <ErrorNote error={list.error} />
      {list.isPending ? (
        <Loading />
      ) : events.length === 0 ? (
        <Empty>No event of this kind.</Empty>
      ) : (
        <TableWrap label="Events">
          <table>
            <thead>
              <tr>
                <th>When</th>
                <th>Type</th>
                <th>What</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event) => (
                <tr key={event.id}>
                  <td className="number">
                    <time dateTime={event.timestamp}>
                      {new Date(event.timestamp).toLocaleString()}
                    </time>
                  </td>
                  <td>
                    <Badge tone={toneOf(event)}>
                      {event.event_type}: {event.category}
                    </Badge>
                  </td>
                  <td>{event.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableWrap>
      )}
      <div className="row">
        <Button disabled={page === 0} onClick={() => setPage(page - 1)}>
          Newer
        </Button>
        <span className="muted">Page {page + 1}</span>
        <Button disabled={!more} onClick={() => setPage(page + 1)}>
          Older
        </Button>
      </div>
    </div>
  );
}
