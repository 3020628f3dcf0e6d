import { Link2 } from "lucide-react";
import { useState } from "react";
import { playerLink } from "../api/links";
import { toClipboard } from "../lib/clipboard";
import { words } from "../messages";
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
      return copied ? words.shell.linkCopied : words.shell.linkShown;
    },
    { done: (told) => told },
  );
  return (
    <span className="row">
      <Button
        size="small"
        icon={icon}
        aria-label={words.shell.copyLinkTo(label)}
        disabled={disabled || copy.isPending}
        onClick={() => copy.mutate(undefined)}
      >
        <Link2 size={icon ? 18 : 16} aria-hidden />
        {!icon && words.shell.copyLink}
      </Button>
      {shown !== null && (
        <input
          className="input"
          readOnly
          value={shown}
          aria-label={words.shell.linkTo(label)}
          ref={(input) => input?.select()}
          onFocus={(event) => event.target.select()}
        />
      )}
    </span>
  );
}
