import { useMutation } from "@tanstack/react-query";
import { Check, Link2 } from "lucide-react";
import { useState } from "react";
import { playerLink } from "../api/links";
import { toClipboard } from "../lib/clipboard";
import { errorText } from "../lib/errorWords";
import { words } from "../messages";
import { Button } from "./basics";

/** Either the path of media, of which a signed address is made, or an address as it is. */
type What = { path: string; link?: undefined } | { link: string; path?: undefined };

/**
 * Copies an address. That of media any player opens. Where the browser gives a page no clipboard
 * (plain HTTP on a network), the address is shown, selected, to be copied by hand. What became of it
 * stands beside the button.
 */
export function CopyLink({
  path,
  link,
  label,
  icon,
  disabled,
}: What & { label: string; icon?: boolean; disabled?: boolean }) {
  const [shown, setShown] = useState<string | null>(null);
  const copy = useMutation({
    mutationFn: async () => {
      const address = path === undefined ? link : await playerLink(path);
      const copied = await toClipboard(address);
      setShown(copied ? null : address);
      if (!copied) return words.shell.linkShown;
      return path === undefined ? words.shell.copied : words.shell.linkCopied;
    },
  });
  const isSeen = copy.isSuccess && (!icon || shown !== null);
  const Icon = copy.isSuccess && shown === null ? Check : Link2;
  return (
    <span className="row">
      <Button
        size="small"
        icon={icon}
        aria-label={words.shell.copyLinkTo(label)}
        disabled={disabled || copy.isPending}
        onClick={() => copy.mutate()}
      >
        <Icon size={icon ? 18 : 16} aria-hidden />
        {!icon && words.shell.copyLink}
      </Button>
      <span role="status" className={isSeen ? "small muted" : "sr-only"}>
        {copy.data}
      </span>
      {copy.error && (
        <span role="alert" className="small">
          {errorText(copy.error)}
        </span>
      )}
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
