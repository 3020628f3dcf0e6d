import { LogOut } from "lucide-react";
import { useSignOut } from "../../api/session";
import { errorText } from "../../lib/errorWords";
import { words } from "../../messages";
import { Button } from "../../ui/basics";
import { useFeedback } from "../../ui/feedback";

export function SignOut() {
  const signOut = useSignOut();
  const { tell } = useFeedback();
  return (
    <Button
      size="small"
      disabled={signOut.isPending}
      onClick={() =>
        signOut.mutate(undefined, {
          onError: (error) => tell(errorText(error), { bad: true }),
        })
      }
    >
      <LogOut size={16} aria-hidden /> {words.shell.signOut}
    </Button>
  );
}
