export { type CompiledConfig, type Config, defineConfig } from '@serin/core/config/config';
