import { Link2 } from "lucide-react";
import { useState } from "react";
import { playerLink } from "../api/links";
import { Button } from "./basics";
import { useAction } from "./feedback";

/**
 * Copies an address of media that any player opens. Where the browser gives a page no clipboard
 * (plain HTTP on a network), the address is shown, selected, to be copied by hand.
 */
export function CopyLink({
  path,
  label,
  icon,
  disabled,
}: {
  path: string;
  label: string;
  icon?: boolean;
  disabled?: boolean;
}) {
  const [shown, setShown] = useState<string | null>(null);
  const copy = useAction(
    async () => {
      const link = await playerLink(path);
      const copied = await toClipboard(link);
      setShown(copied ? null : link);
      return copied ? "The link is copied; any player opens it" : "Copy the link that is shown";
    },
    { done: (told) => told },
  );
  return (
    <span className="row">
      <Button
        size="small"
        icon={icon}
        aria-label={`Copy link to ${label}`}
        disabled={disabled || copy.isPending}
        onClick={() => copy.mutate(undefined)}
      >
        <Link2 size={icon ? 18 : 16} aria-hidden />
        {!icon && "Copy link"}
      </Button>
      {shown !== null && (
        <input
          className="input"
          readOnly
          value={shown}
          aria-label={`Link to ${label}`}
          ref={(input) => input?.select()}
          onFocus={(event) => event.target.select()}
        />
      )}
    </span>
  );
}

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no clipboard here, or it was refused
  }
}
