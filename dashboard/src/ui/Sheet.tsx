import { X } from "lucide-react";
import { Dialog as RadixDialog } from "radix-ui";
import type { ReactNode } from "react";
import { words } from "../messages";
import { Button } from "./basics";
import feedback from "./feedback.module.css";
import { useReturnFocus } from "./returnFocus";
import styles from "./Sheet.module.css";

/**
 * Tools or facts over the page: from below on a phone, at the side on a desk. Escape and a tap
 * beside it close it, and focus returns to what opened it.
 */
export function Sheet({
  title,
  description,
  open,
  onClose,
  footer,
  children,
}: {
  title: string;
  description?: ReactNode;
  open: boolean;
  onClose: () => void;
  /** Stays in sight below what scrolls, such as the button that applies it. */
  footer?: ReactNode;
  children: ReactNode;
}) {
  const focus = useReturnFocus();
  return (
    <RadixDialog.Root open={open} onOpenChange={(now) => now || onClose()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className={feedback.overlay} />
        <RadixDialog.Content
          className={styles.sheet}
          {...focus}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <div className={styles.head}>
            <RadixDialog.Title asChild>
              <h2>{title}</h2>
            </RadixDialog.Title>
            <RadixDialog.Close asChild>
              <Button icon tone="quiet" aria-label={words.shell.close}>
                <X size={20} aria-hidden />
              </Button>
            </RadixDialog.Close>
          </div>
          <div className={styles.body}>
            {description && (
              <RadixDialog.Description className="muted" asChild>
                <div>{description}</div>
              </RadixDialog.Description>
            )}
            {children}
          </div>
          {footer && <div className={styles.foot}>{footer}</div>}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}
