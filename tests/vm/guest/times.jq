def ms: . / 1000 | round;
"transaction \(.outcome), scope \(.scope): \(.usec | ms) ms, \(."kernel-usec" | ms) ms of them the kernel's" +
([.steps[] | select(."kernel-usec" >= 10000) | "\(.step) \(."kernel-usec" | ms)"] | if length > 0 then " (\(join(", ")))" else "" end) +
(if .reason and .reason != "none" then "; \(.reason)\(if .culprit then " " + .culprit else "" end)\(if .detail then ": " + .detail else "" end)" else "" end),
(.warnings[] | "warning: \(.text) (\(.function // ""))\(if .detail then ": " + .detail else "" end)")
