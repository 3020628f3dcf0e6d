import { Component, type ReactNode } from "react";
import { Button, Note } from "./basics";

type Props = { children: ReactNode; place: string };

/** Keeps a fault of one page from taking the others along, and says how to go on. */
export class Boundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidUpdate(before: Props) {
    if (before.place !== this.props.place && this.state.error) this.setState({ error: null });
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="page">
        <h1>This page cannot be shown</h1>
        <Note tone="bad" alert title={error.message}>
          The server may have been upgraded, or the connection broke while the page was loaded. A
          running recording is not touched by this.
        </Note>
        <div>
          <Button tone="primary" onClick={() => location.reload()}>
            Load it again
          </Button>
        </div>
      </div>
    );
  }
}
