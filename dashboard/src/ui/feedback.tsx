import { useMutation } from "@tanstack/react-query";
import { AlertDialog, Dialog as RadixDialog, Toast as RadixToast } from "radix-ui";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useMemo,
  useRef,
  useState,
} from "react";
import { errorText } from "../lib/errorWords";
import { words } from "../messages";
import { Button } from "./basics";
import styles from "./feedback.module.css";
import { useReturnFocus } from "./returnFocus";

type Question = {
  title: string;
  body?: ReactNode;
  action: string;
  /** What the other button says, if not “Cancel”. */
  cancel?: string;
  danger?: boolean;
};
type Toast = { id: number; text: string; bad: boolean; undo?: () => void };
type Feedback = {
  confirm: (question: Question) => Promise<boolean>;
  tell: (text: string, options?: { bad?: boolean; undo?: () => void }) => void;
};

const FeedbackContext = createContext<Feedback | null>(null);

const MOST_TOASTS = 4;

/** Questions before what cannot be undone, and what became of it. */
export function FeedbackProvider({ children }: { children: ReactNode }) {
  const [question, setQuestion] = useState<Question | null>(null);
  const [toasts, setToasts] = useState<Toast[]>([]);
  const answer = useRef<(yes: boolean) => void>(() => undefined);
  const nextId = useRef(1);

  const confirm = useCallback((asked: Question) => {
    answer.current(false);
    setQuestion(asked);
    return new Promise<boolean>((resolve) => {
      answer.current = resolve;
    });
  }, []);
  const tell = useCallback<Feedback["tell"]>((text, { bad = false, undo } = {}) => {
    const toast = { id: nextId.current++, text, bad, undo };
    setToasts((those) => [...those.slice(1 - MOST_TOASTS), toast]);
  }, []);
  const close = (yes: boolean) => {
    setQuestion(null);
    answer.current(yes);
  };
  const drop = (id: number) => setToasts((those) => those.filter((toast) => toast.id !== id));
  const feedback = useMemo(() => ({ confirm, tell }), [confirm, tell]);

  return (
    <FeedbackContext.Provider value={feedback}>
      <RadixToast.Provider duration={7000} label={words.shell.message}>
        {children}
        <QuestionDialog question={question} onAnswer={close} />
        {toasts.map((toast) => (
          <ToastMessage key={toast.id} toast={toast} onClose={() => drop(toast.id)} />
        ))}
        <RadixToast.Viewport className={styles.toasts} label={words.shell.messages("{hotkey}")} />
      </RadixToast.Provider>
    </FeedbackContext.Provider>
  );
}

/** A question that waits for yes or no; closing it is no. */
function QuestionDialog({
  question,
  onAnswer,
}: {
  question: Question | null;
  onAnswer: (yes: boolean) => void;
}) {
  const focus = useReturnFocus();
  return (
    <AlertDialog.Root open={question !== null} onOpenChange={(open) => open || onAnswer(false)}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={styles.overlay} />
        <AlertDialog.Content className={styles.dialog} {...focus}>
          <AlertDialog.Title asChild>
            <h2>{question?.title}</h2>
          </AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="muted">{question?.body ?? words.shell.cannotBeUndone}</div>
          </AlertDialog.Description>
          <DialogActions>
            <AlertDialog.Cancel asChild>
              <Button>{question?.cancel ?? words.shell.cancel}</Button>
            </AlertDialog.Cancel>
            <Button tone={question?.danger ? "danger" : "primary"} onClick={() => onAnswer(true)}>
              {question?.action}
            </Button>
          </DialogActions>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

function ToastMessage({ toast, onClose }: { toast: Toast; onClose: () => void }) {
  const { text, bad, undo } = toast;
  return (
    <RadixToast.Root
      className={`${styles.toast} ${bad ? styles.bad : ""}`}
      data-toast={bad ? "bad" : "good"}
      type={bad ? "foreground" : "background"}
      onOpenChange={(open) => open || onClose()}
    >
      <RadixToast.Description className="grow">{text}</RadixToast.Description>
      {undo && (
        <RadixToast.Action altText={words.shell.undo} asChild>
          <Button size="small" onClick={undo}>
            {words.shell.undo}
          </Button>
        </RadixToast.Action>
      )}
      <RadixToast.Close asChild>
        <Button size="small" tone="quiet" aria-label={words.shell.closeMessage}>
          ✕
        </Button>
      </RadixToast.Close>
    </RadixToast.Root>
  );
}

export function useFeedback(): Feedback {
  const feedback = useContext(FeedbackContext);
  if (!feedback) throw new Error("useFeedback needs a FeedbackProvider");
  return feedback;
}

const DECLINED = Symbol("declined");

/**
 * Something that is done at the server: told when it is done, and in its words when it is not. With
 * `asks` a question comes first, and where the answer is no nothing happens.
 */
export function useAction<A, R>(
  act: (argument: A) => Promise<R>,
  options: {
    asks?: (argument: A) => Question;
    done?: (result: R, argument: A) => string | undefined;
    after?: () => void;
    /** What is done with an error instead of telling it in a message. */
    failed?: (error: Error) => void;
  } = {},
) {
  const { confirm, tell } = useFeedback();
  return useMutation({
    mutationFn: async (argument: A) => {
      const { asks } = options;
      return asks && !(await confirm(asks(argument))) ? DECLINED : act(argument);
    },
    onSuccess: (result, argument) => {
      const text = result === DECLINED ? undefined : options.done?.(result as R, argument);
      if (text) tell(text);
    },
    onError: (error) =>
      options.failed ? options.failed(error) : tell(errorText(error), { bad: true }),
    onSettled: options.after,
  });
}

/** The buttons at the end of a dialog. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>;
}

export function Dialog({
  title,
  description,
  open,
  onClose,
  wide,
  container,
  children,
}: {
  title: string;
  description?: string;
  open: boolean;
  onClose: () => void;
  wide?: boolean;
  /** Where it opens, if not over the whole page. */
  container?: HTMLElement | null;
  children: ReactNode;
}) {
  const focus = useReturnFocus();
  return (
    <RadixDialog.Root open={open} onOpenChange={(now) => now || onClose()}>
      <RadixDialog.Portal container={container}>
        <RadixDialog.Overlay className={styles.overlay} />
        <RadixDialog.Content
          className={`${styles.dialog} ${wide ? styles.wide : ""}`}
          {...focus}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <div className="row between">
            <RadixDialog.Title asChild>
              <h2>{title}</h2>
            </RadixDialog.Title>
            <RadixDialog.Close asChild>
              <Button size="small" tone="quiet" aria-label={words.shell.close}>
                ✕
              </Button>
            </RadixDialog.Close>
          </div>
          {description && (
            <RadixDialog.Description className="muted">{description}</RadixDialog.Description>
          )}
          {children}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}
