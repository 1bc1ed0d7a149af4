export function withDirectoryLock<T>(directory: string, work: () => Promise<T>): Promise<T>;
export function tryDirectoryLock(directory: string): Promise<(() => Promise<void>) | undefined>;
