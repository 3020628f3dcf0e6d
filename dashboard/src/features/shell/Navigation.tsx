import { Menu } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { NARROW, useMedia } from "../../lib/useMedia";
import { words } from "../../messages";
import { Sheet } from "../../ui/Sheet";
import { Preferences } from "./Preferences";
import { BEHIND_MORE, IN_REACH, isAt, PAGES, type Page } from "./pages";
import styles from "./Shell.module.css";
import { SignOut } from "./SignOut";

type Props = { location: string; keyNeeded: boolean; version: string };

/** The way from page to page: beside the content, or on a phone below it. */
export function Navigation({ toContent, ...props }: Props & { toContent: () => void }) {
  const narrow = useMedia(NARROW);
  return (
    <nav className={styles.side} aria-label={words.shell.navigation}>
      <button type="button" className={styles.skip} onClick={toContent}>
        {words.shell.toContent}
      </button>
      {narrow ? <OnPhone {...props} /> : <OnDesk {...props} />}
    </nav>
  );
}

function OnDesk({ location, keyNeeded, version }: Props) {
  return (
    <>
      <div className={styles.brand}>
        <img src="/touchline.svg" alt="" width={30} height={30} />
        touchline
      </div>
      {PAGES.map((page) => (
        <PageLink key={page.path} page={page} location={location} />
      ))}
      <div className={styles.foot}>
        <Preferences />
        {keyNeeded && <SignOut />}
        <span>{words.shell.version(version)}</span>
      </div>
    </>
  );
}

function OnPhone(props: Props) {
  const { location } = props;
  const [open, setOpen] = useState(false);
  return (
    <>
      {IN_REACH.map((page) => (
        <PageLink key={page.path} page={page} location={location} />
      ))}
      <button
        type="button"
        className={styles.link}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-current={BEHIND_MORE.some((page) => isAt(page, location)) ? "true" : undefined}
        onClick={() => setOpen(true)}
      >
        <Menu size={20} aria-hidden />
        <span>{words.shell.more}</span>
      </button>
      <More open={open} onClose={() => setOpen(false)} {...props} />
    </>
  );
}

/** What a phone has no room for below the content. */
function More({
  open,
  onClose,
  location,
  keyNeeded,
  version,
}: Props & { open: boolean; onClose: () => void }) {
  return (
    <Sheet title={words.shell.more} open={open} onClose={onClose}>
      <nav className={styles.more} aria-label={words.shell.morePages}>
        {BEHIND_MORE.map((page) => (
          <PageLink key={page.path} page={page} location={location} onClick={onClose} />
        ))}
      </nav>
      <Preferences />
      {keyNeeded && (
        <div>
          <SignOut />
        </div>
      )}
      <p className="muted small">{words.shell.version(version)}</p>
    </Sheet>
  );
}

function PageLink({
  page,
  location,
  onClick,
}: {
  page: Page;
  location: string;
  onClick?: () => void;
}) {
  const { path, name, Icon } = page;
  return (
    <Link
      href={path}
      className={styles.link}
      aria-current={isAt(page, location) ? "page" : undefined}
      onClick={onClick}
    >
      <Icon size={20} aria-hidden />
      <span>{words.shell.pages[name]}</span>
    </Link>
  );
}
