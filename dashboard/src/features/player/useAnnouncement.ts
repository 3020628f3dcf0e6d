import { useCallback, useEffect, useState } from "react";

const SHOWN_MS = 4000;

/** What was just done, to be shown and read out for some seconds. */
export function useAnnouncement() {
  const [news, setNews] = useState({ text: "", count: 0 });
  const announce = useCallback(
    (text: string) => setNews(({ count }) => ({ text, count: count + 1 })),
    [],
  );
  useEffect(() => {
    if (!news.text) return;
    const timer = setTimeout(() => setNews({ text: "", count: news.count }), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [news]);
  return { told: news.text, announce };
}
