export declare const CACHE: string;
export declare const BIN: string;
