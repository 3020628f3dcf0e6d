import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import { type Language, language, loadLanguage, saveLanguage } from ".";

type Choice = { language: Language; choose: (language: Language) => Promise<void> };

const LanguageContext = createContext<Choice | null>(null);

/** Has the language that is shown; whoever uses it is rendered anew when another one is chosen. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState(language);
  const choice = useMemo(
    () => ({
      language: shown,
      choose: async (chosen: Language) => {
        await loadLanguage(chosen);
        saveLanguage(chosen);
        setShown(chosen);
      },
    }),
    [shown],
  );
  return <LanguageContext.Provider value={choice}>{children}</LanguageContext.Provider>;
}

export function useLanguage(): Choice {
  const choice = useContext(LanguageContext);
  if (!choice) throw new Error("useLanguage needs a LanguageProvider");
  return choice;
}
