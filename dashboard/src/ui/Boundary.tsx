import { Component, type ReactNode } from "react";
import { words } from "../messages";
import { Button, Details, Note } from "./basics";

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
    const { title, text, reload } = words.errors.page;
    return (
      <div className="page">
        <h1>{title}</h1>
        <Note tone="bad" alert title={text}>
          <Details lines={[error.message]} />
        </Note>
        <div>
          <Button tone="primary" onClick={() => location.reload()}>
            {reload}
          </Button>
        </div>
      </div>
    );
  }
}
