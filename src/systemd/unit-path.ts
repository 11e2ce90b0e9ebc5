/** The object of a unit on D-Bus: `_XX` for every byte but letters and digits, and for a digit that comes first (sd_bus_path_encode(3)). */
export function unitPath(name: string): string {
  const label = name.replace(/^[0-9]|[^A-Za-z0-9]/g, c => `_${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `/org/freedesktop/systemd1/unit/${label}`;
}
